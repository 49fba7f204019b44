"""Sound of the microphones: blocks of samples, levels and hum, capture times."""
