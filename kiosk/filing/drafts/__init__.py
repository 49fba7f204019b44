"""Filings that are not submitted yet."""
