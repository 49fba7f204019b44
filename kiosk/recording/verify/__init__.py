"""Verification of a sealed hearing."""
