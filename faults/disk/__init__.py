"""A disk for trials: it forgets unsynced data, and fills up, slows down or fails on request."""
