"""A node: its supervision tree as data (`tree.py`), and its life from start to stop (`life.py`)."""

from wattswarm.node.life import run

__all__ = ["run"]
