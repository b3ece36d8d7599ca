"""Projections: tables folded from the log, each with a checkpoint in the same transaction, rebuildable at any time."""
