"""The journals of a hearing and of its parts, and the index of a part's fragments."""
