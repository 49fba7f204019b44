"""Certificates, courts and enrolment of kiosks."""
