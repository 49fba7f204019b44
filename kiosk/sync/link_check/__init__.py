"""Measurement of the connection before a hearing, and how it is during one."""
