"""Document scanners: SANE and a camera above the desk."""
