"""What a node does for whoever operates it: the operations behind the API, a file for each concern.

Reads go to PostgreSQL through a read-only pool, writes through the log's writer, and the rest to
the supervision tree. Nothing here decides a rule: the kernel does.
"""
