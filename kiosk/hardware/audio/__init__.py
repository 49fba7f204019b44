"""Microphones: driver process, levels, sample clock."""
