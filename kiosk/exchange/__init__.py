"""Formats that kiosk and central system exchange and both must read alike."""
