"""The camera, its driver process and its live picture."""
