"""Tests of setting up a room."""
