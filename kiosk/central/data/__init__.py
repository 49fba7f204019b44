"""Database and file store of the central system."""
