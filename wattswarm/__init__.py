"""WattSwarm: a node for agent networks."""

__version__ = "0.1.0"
