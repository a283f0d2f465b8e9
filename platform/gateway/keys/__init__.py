"""API keys by API, and short-lived client secrets for browsers."""
