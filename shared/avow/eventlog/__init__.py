"""The log: one append-only, hashed, densely numbered table of events for each service, on SQLite and PostgreSQL."""
