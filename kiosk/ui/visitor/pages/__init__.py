"""Review of the scanned pages."""
