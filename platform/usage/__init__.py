"""What was asked and used: the request log, its search, the roll-ups, and what pages and APIs read of them."""
