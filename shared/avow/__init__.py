"""What both services rest on: the contracts, the log, projections, the bus and the subscriber kit."""
