"""Uptime, measured from outside, and the public status page."""
