"""Chaos: both services as real processes, killed and cut off at random while they work, and held to account after.

`python -m tests.chaos` for the long run, `tests/chaos/test_chaos.py` for the short one. What is drawn comes from a
seed: the same seed strikes in the same order; what the machine does in between is its own.
"""
