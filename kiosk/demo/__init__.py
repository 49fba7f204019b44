"""The demo: the kiosk's whole main job on virtual devices, through the touch screen.

A stage (X server, central system, virtual devices, the kiosk's own three services) is set up,
a hand taps with real pointer events, and a report is read back from what was made.
"""
