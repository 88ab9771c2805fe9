"""What a node tells about itself: structured logs, and metrics under names from one table."""
