"""The evaluation service: review rounds, scores, commendations and the honours they lead to."""
