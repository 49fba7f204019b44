"""What kiosks deliver: uploads, journals, receipts, courier packs."""
