"""Submission: documents, registration, receipt, status."""
