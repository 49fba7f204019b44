"""Tests of the touch screen."""
