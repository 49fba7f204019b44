"""How a program knows that it runs on virtual devices, so that it can say so truthfully."""

VIRTUAL_MICROPHONES = "KIOSK_VIRTUAL_MICROPHONES"
"""Set (to their folder) where virtual microphones are in use."""
