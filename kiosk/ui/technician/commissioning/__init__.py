"""Screens on which a technician sets the room up, step by step."""
