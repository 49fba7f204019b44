"""State and actions of one visitor, without a window; all of it is wiped at the end."""
