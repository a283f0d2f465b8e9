"""Signing secrets of webhooks, as Standard Webhooks has them (https://www.standardwebhooks.com/).

A secret is HMAC-SHA-256(pepper, endpoint and salt), so that none is stored and a leaked database forges nothing.
It is shown when it is made and never again, as an API key is: who has lost it makes another. Who takes a pepper
out of the settings ends the secrets that were made with it, as it ends the keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from webhooks.models import WebhookEndpoint, WebhookSecret

OVERLAP = timedelta(hours=24)
"""How long a secret that was replaced signs beside the new one."""


class NoSecret(Exception):
    """The pepper that the endpoint's secret was made with is gone: another secret is needed."""


def create_secret(endpoint: WebhookEndpoint) -> str:
    """Make an endpoint's secret, `whsec_` and base64; the one before it signs for a day more. In a transaction."""
    endpoint.secrets.filter(ends_at=None).update(ends_at=timezone.now() + OVERLAP)
    made = WebhookSecret(
        endpoint=endpoint, salt=secrets.token_bytes(32), pepper_number=max(settings.API_KEY_PEPPERS)
    )
    made.save()
    return f"whsec_{base64.b64encode(_derive(made)).decode()}"


def sign(endpoint: WebhookEndpoint, *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message: its id, the second it is sent at, and a signature by each living secret.

    Raises:
        NoSecret: there is nothing to sign with.
    """
    living = endpoint.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now())).order_by("-id")
    usable = [secret for secret in living if secret.pepper_number in settings.API_KEY_PEPPERS]
    if not usable:
        raise NoSecret
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (
        base64.b64encode(hmac.digest(_derive(secret), signed, hashlib.sha256)).decode() for secret in usable
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _derive(secret: WebhookSecret) -> bytes:
    # What a key's HMAC is made of is letters and digits alone, so that this can never be one of those.
    source = b"webhook:" + secret.endpoint_id.bytes + bytes(secret.salt)
    return hmac.digest(settings.API_KEY_PEPPERS[secret.pepper_number], source, hashlib.sha256)
