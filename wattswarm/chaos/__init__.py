"""Fault campaigns against real nodes, and the invariants that they check."""
