"""Hostile authors against an honest run: `python -m tests.hostile --histories N --seed N`."""
