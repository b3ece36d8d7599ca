"""The demo campaign: a fictional college, played over HTTP like any client, on a simulated clock."""
