"""The demo: the kiosk's whole main job on virtual devices, through the touch screen.

An environment (X server, central system, virtual devices, the kiosk's three services) is set up,
a driver taps with real pointer events, and a report is read back from what was made.
"""
