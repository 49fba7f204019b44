"""Filings that exist already: parked with a ticket, resumed, looked up by a receipt."""
