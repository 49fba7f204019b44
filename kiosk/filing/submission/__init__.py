"""Submission of a filing: documents, receipt, status."""
