"""Screenshots of every screen in every state, errors included, from sample data."""
