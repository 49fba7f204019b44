"""The camera: its back end, encoded packets, live picture and encoder monitor."""
