"""Delivery by a carried medium: packing, and the receipts that come back."""
