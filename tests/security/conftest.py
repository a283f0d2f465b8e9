"""Two organizations that must not see each other, in a transaction that is rolled back; and one full of words of
its own, which is not."""

from __future__ import annotations

import secrets

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from openai import OpenAI

from accounts import invitations, organizations, service_accounts
from accounts.audit import Actor
from accounts.models import ApiKey, Membership, User
from billing.models import BillingDetails
from tests.conftest import Customer
from tests.console.people import Office, office, person
from tests.gateway.batching import ended, speech_line, start
from tests.gateway.speaking import audio_of, speak
from tests.live import Service, wait_for
from usage.models import RequestLog
from webhooks.models import WebhookEndpoint


@pytest.fixture
def acme(db: None) -> Office:
    return office("Acme")


@pytest.fixture
def rival(db: None) -> Office:
    return office("Rival")


@pytest.fixture
def canary() -> str:
    return "canary" + "".join(secrets.choice("abcdefghijklmnop") for _ in range(12))


@pytest.fixture
def personal(service: Service, customer: Customer, canary: str) -> Customer:
    """A customer whose every text field holds the canary."""
    organization = customer.organization
    owner = organization.members.get()
    actor = Actor(user=owner, address="203.0.113.77")
    organizations.rename(organization_id=organization.id, name=f"{canary} GmbH", by=actor)
    User.objects.filter(id=owner.id).update(email=f"{canary}@example.com", first_name=canary)
    EmailAddress.objects.create(user=owner, email=f"{canary}@example.com", verified=True, primary=True)
    owner.refresh_from_db()
    member = person(f"member-{canary}@example.com")
    Membership.objects.create(organization=organization, user=member, role=Membership.Role.VIEWER)
    organization.refresh_from_db()
    invitations.create(
        organization=organization, email=f"guest-{canary}@example.com", role=Membership.Role.VIEWER, by=actor
    )
    ApiKey.objects.filter(id=customer.key.id).update(name=canary)
    BillingDetails.objects.create(
        organization=organization, legal_name=canary, line1=canary, email=f"bills-{canary}@example.com"
    )
    service_accounts.create(organization=organization, name=canary, limits={})
    WebhookEndpoint.objects.create(organization=organization, url=f"https://{canary}.example.com/")
    Client().force_login(owner)
    with OpenAI(
        base_url=f"{service.url}/v1",
        api_key=customer.secret,
        max_retries=0,
        default_headers={"user-agent": canary, "idempotency-key": canary},
    ) as client:
        assert audio_of(speak(client, f"The {canary} sings."))
    with OpenAI(base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0) as client:
        line = {**speech_line(1, f"The {canary} sings."), "custom_id": canary}
        ended(client, start(client, [line], metadata={"bird": canary}))
    wait_for(lambda: RequestLog.objects.filter(user_agent=canary).exists(), what="the log has it")
    return customer
