"""Synchronising lanes between two nodes: frames, the feed, the descent, and when to use which.

Machines only: nonces, times, dice and the answers of the store come in as arguments. The bytes are
described in docs/protocol/sync.md.
"""
