"""Links in memory, with every fault that a network has, under whatever clock trio runs."""
