"""Drivers of the kiosk's devices, each with its child process, and virtual devices for tests."""
