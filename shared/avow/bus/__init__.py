"""How events reach the other service: the feed that serves a log, and the inbox that imports from one."""
