"""Copies of hearings for the parties, on a removable drive; minutes and chain receipts."""
