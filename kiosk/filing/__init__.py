"""Documents that visitors file: drafts, forms, page imaging, submission, printing."""
