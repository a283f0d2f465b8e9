"""Telling customers, by e-mail and by webhook, that a budget is nearly spent or their credit low."""
