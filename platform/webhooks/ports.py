"""What a higher room provides to this one."""

from __future__ import annotations

from accounts.ports import Port
from webhooks.models import Delivery


class Undeliverable(Exception):
    """Nobody is there to be told, and never will be."""


letter = Port[[Delivery], None]("writes the e-mail of a delivery")
"""Sends a delivery's e-mail. Raises Undeliverable; OSError or SMTPException where it is to be tried again."""
