"""Benchmarks: figures of the kiosk beside those of comparable programs."""
