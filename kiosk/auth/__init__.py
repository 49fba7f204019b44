"""Sign-in of staff by badge or PIN, and the tokens they get."""
