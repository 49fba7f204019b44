"""Screens for the technician: the self-test."""
