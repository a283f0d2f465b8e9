"""Where e-mail goes: to a server named by EMAIL_URL, else into the gateway's log."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

SCHEMES = {"smtp": (False, False, 25), "smtp+tls": (True, False, 587), "smtps": (False, True, 465)}
"""Scheme -> STARTTLS, TLS from the first byte, the usual port."""


def parse_url(url: str) -> dict[str, Any]:
    """Django's settings for `smtp+tls://user:password@host:port`. Raises ValueError for what is none."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(f"EMAIL_URL: write it as {', '.join(f'{scheme}://HOST' for scheme in SCHEMES)}")
    starttls, tls, port = SCHEMES[parts.scheme]
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": starttls,
        "EMAIL_USE_SSL": tls,
    }


class LogBackend(BaseEmailBackend):
    """Prints e-mails to the log where there is no mail server, so that a newcomer can follow their links."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        for message in messages:
            lines = (f"To: {', '.join(message.to)}", f"Subject: {message.subject}", "", *message.body.splitlines())
            sys.stdout.write("".join(f"mail | {line}".rstrip() + "\n" for line in lines))
        sys.stdout.flush()
        return len(messages)
