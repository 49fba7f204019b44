"""Driver processes: supervision, protocol, end with the parent."""
