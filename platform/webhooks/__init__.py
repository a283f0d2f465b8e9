"""Telling customers what happened, by webhook and by e-mail: endpoints, the outbox, and its signatures."""
