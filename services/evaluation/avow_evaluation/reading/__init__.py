"""What the views answer: to a route in keyset pages, to a decision one fact."""
