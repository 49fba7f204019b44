"""Environment variables of programs that run on virtual devices."""

VIRTUAL_MICROPHONES = "KIOSK_VIRTUAL_MICROPHONES"
"""Folder of the virtual microphones, if they are in use."""
