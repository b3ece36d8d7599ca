"""What both services run on: settings, the running service, its web application."""
