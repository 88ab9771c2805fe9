"""Pure protocol machines: bytes and ticks in, bytes and actions out."""
