"""Screens for the secretary: today, the running hearing, sealing."""
