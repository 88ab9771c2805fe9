"""The HTTP API: a table of operations served over a `NodeApi`, and nothing that decides."""
