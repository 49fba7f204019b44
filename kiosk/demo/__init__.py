"""The demo: the kiosk's main job on virtual devices, through the touch screen.

``environment`` starts the X server, the central system, the virtual devices and the kiosk's three
services; ``scenario`` taps with real pointer events (``screen_driver``); ``report`` reads back what
was made.
"""
