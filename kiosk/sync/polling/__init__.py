"""What is pulled from and reported to the central system at intervals."""
