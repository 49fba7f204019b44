"""Data that a visitor enters: applicant, case, required documents, state fee."""
