"""Handing in: registration, receipt, status."""
