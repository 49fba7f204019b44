"""Virtual devices; the kiosk uses each through the real library of the real device."""
