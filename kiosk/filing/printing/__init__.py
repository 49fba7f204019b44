"""Receipts and tickets for the receipt printer, as raster pages."""
