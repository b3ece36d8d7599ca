"""What operators see of a running service: its log lines."""
