"""Database and byte store of the central system."""
