"""What a visitor states: applicant, case, required documents, state fee."""
