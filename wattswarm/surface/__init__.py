"""What a node shows: the documents of API and command line, and the protocol behind them.

The classes here are the public JSON, field by field: names are stable, ids are lower-case hex,
times are RFC 3339 in UTC with milliseconds, enums are lower snake case, units stand last in names.
They stand below the node, which makes them, and below API and command line, which show them.
"""
