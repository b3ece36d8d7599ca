"""The deployment of docker-compose.yml under a real engine: brought up, used, broken and held to account."""
