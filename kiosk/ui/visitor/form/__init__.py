"""Questions about the filing: case, applicant, documents, sheets, originals, state fee."""
