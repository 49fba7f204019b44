"""Scanning: paper is expected, moves, or has caused a fault."""
