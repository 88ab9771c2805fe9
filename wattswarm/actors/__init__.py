"""The actors of a node: each owns one concern, and holds nothing that the log cannot give back."""
