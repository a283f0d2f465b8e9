"""The customers' console."""
