"""Delivery over the network: registration, upload, receipts, retention."""
