"""The actors of a node: each owns one concern, all I/O for it, and nothing that cannot be rebuilt from the log."""
