"""Sample states for the screenshots and the tests: services, documents, screens."""
