"""The laws of the kernel, tried on generated histories: `python -m tests.laws --histories 200`."""
