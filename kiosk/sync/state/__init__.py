"""State of delivery: link, queues, forecast, upload policy."""
