"""File formats and signatures that the kiosk and the central system exchange."""
