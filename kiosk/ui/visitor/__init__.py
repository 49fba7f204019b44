"""Screens for visitors: filing paper, finding a document, today's hearings."""
