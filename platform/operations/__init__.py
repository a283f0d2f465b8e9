"""What the operator's people look at: the whole company on one page, and what they may do about it."""
