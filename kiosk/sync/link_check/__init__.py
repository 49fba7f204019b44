"""Measurement of the connection before a hearing."""
