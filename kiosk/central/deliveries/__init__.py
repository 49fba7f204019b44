"""Deliveries of kiosks: uploads, journals, receipts, courier packs."""
