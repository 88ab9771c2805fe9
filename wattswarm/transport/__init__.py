"""The network: protocol machines, and the links that they run over."""
