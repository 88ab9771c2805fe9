"""Stories of several identities in one network, told by the kernel alone: see `__main__`."""
