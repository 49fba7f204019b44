"""What waits for delivery: outbox, lanes, manifests and request bodies."""
