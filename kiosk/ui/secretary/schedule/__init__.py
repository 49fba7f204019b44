"""Before a hearing: the list of the day, readiness, hearings that are not on the list."""
