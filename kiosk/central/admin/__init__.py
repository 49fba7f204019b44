"""Pages for court IT."""
