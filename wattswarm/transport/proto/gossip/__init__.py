"""Gossip as iroh-gossip speaks it: HyParView keeps neighbours, Plumtree spreads messages."""
