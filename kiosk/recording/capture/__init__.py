"""From timed packets and samples to durable fragments: mixer, tracks, interruptions."""
