"""Tests of the reference central court system, over real TLS on loopback."""
