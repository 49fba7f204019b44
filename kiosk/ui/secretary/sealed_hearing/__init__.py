"""After a hearing: delivery to the central system, export for the parties."""
