"""Encrypts closed parts with age, and decrypts them with the court's key."""
