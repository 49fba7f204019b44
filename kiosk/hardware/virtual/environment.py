"""Environment variables that tell a program that it runs on virtual devices."""

VIRTUAL_MICROPHONES = "KIOSK_VIRTUAL_MICROPHONES"
"""Folder of the virtual microphones, if they are in use."""
