"""Sources: what gives timed packets or samples to a recording."""
