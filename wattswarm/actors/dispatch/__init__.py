"""What the executor dispatcher is made of: an agenda, dockets, clients, and the work itself."""
