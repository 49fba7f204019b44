"""Work on scanned pages in a child process: checks, orientation, PDF/A."""
