"""The one place that makes a client of Stripe's API, of one version."""

from __future__ import annotations

from functools import cache

import stripe
from django.conf import settings

API_VERSION = "2026-10-28.endive"
"""The version that the webhook's endpoint at Stripe must have too."""
TIMEOUT_SECONDS = 20


def is_configured() -> bool:
    return bool(settings.STRIPE_SECRET_KEY)


def create_client() -> stripe.StripeClient:
    """A client for the key and the address of the settings. Retries are the outbox's, so it makes none."""
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@cache
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": base},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )
