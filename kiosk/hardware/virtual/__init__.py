"""Virtual devices: each is reached through the real library of the device it stands in for."""
