"""Benchmarks: each figure beside its peers, measured in turn in one run. `make bench`; see README.md here."""
