"""Proof that a recording is unchanged: hash chain, signatures, seals, and OpenSSL checks."""
