"""Encryption of closed parts with age, and decryption with a key of the court."""
