"""What proves a recording: hash chain, signatures, seals, and their check with OpenSSL."""
