"""One file for each revision, ``rNNNN_what.py``; a released one never changes."""
