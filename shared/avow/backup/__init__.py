"""Backups of the logs and of the keys, each by itself, and how they are restored."""
