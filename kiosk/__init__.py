"""Courtroom Kiosk: records hearings, scans and files documents, delivers both to the court."""

__version__ = "0.1.0"
