"""Records a part of a hearing, journals it, checks it, and repairs it after a crash."""
