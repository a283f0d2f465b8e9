"""People, organizations, memberships and API keys; imports nothing of the other rooms."""
