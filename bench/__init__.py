"""Figures, each beside a raw baseline measured in the same run. `python -m bench NAME [--json]`."""
