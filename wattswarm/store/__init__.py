"""PostgreSQL and the disk: the log, its projections, this node's own facts, and artifacts.

The only place that knows SQL. Everything here is synchronous: whoever owns an object here runs it
on one thread of its own (`pool.py` is the one exception, for the many short reads of the API).
"""
