"""What the tests share: a private PostgreSQL and the rule for imports."""
