"""The display in the hall."""
