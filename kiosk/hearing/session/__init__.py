"""The life of one hearing: start, parts, publicity, statements, crash recovery."""
