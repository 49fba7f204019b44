"""Connection to the central system: TLS session, HTTP client, tus uploads."""
