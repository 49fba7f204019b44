"""Filings that are not handed in yet."""
