"""The `wattswarm` command: asks a running node over its API, and shows what it says.

Results go to stdout, everything else to stderr. Modules are imported by the commands that need
them, so that help and completion stay quick.
"""
