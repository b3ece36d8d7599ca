"""Audit: what an auditor can check without trusting whoever operates the services; it reads and never writes."""
