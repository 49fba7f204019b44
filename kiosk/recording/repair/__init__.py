"""Recovery of interrupted hearings, merging of copies, later encryption."""
