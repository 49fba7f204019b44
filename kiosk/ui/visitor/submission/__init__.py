"""The end of a filing: summary, registration, receipt, failure."""
