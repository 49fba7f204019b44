"""Durable writes, folder layouts, free space, the database schema and its migrations."""
