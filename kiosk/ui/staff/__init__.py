"""What all staff screens share, and the PIN pad."""
