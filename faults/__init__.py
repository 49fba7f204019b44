"""Fault trials: power cuts, kills, broken devices and disks, tampering."""
