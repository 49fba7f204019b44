"""A disk for trials: it forgets what was not synced, and fills up, slows down or fails at will."""
