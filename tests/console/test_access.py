"""Two organizations cannot see each other: every route of the console, with every id of the other."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts import invitations
from accounts.models import ApiKey, AuditEvent, Invitation, Membership
from accounts.permissions import ALLOWED, Action
from billing.models import AlertRule, Budget
from console.urls import of_an_organization
from gateway.batches import files
from gateway.models import File, SpeechBatch
from inference import custom_voices, pronunciations
from inference.models import CustomVoice, VoiceConsent
from inference.speech.pronunciation import PronunciationRule
from tests.billing.invoices import months_of_use
from tests.console.people import Office, browser, called, person
from webhooks.models import Delivery, WebhookEndpoint, WebhookSecret

ROUTES = {str(route.name): route for route in of_an_organization}
ROLES = list(ALLOWED)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
NEEDS = {
    "key_new": Action.MANAGE_KEYS,
    "key_rotate": Action.MANAGE_KEYS,
    "key_revoke": Action.MANAGE_KEYS,
    "request_audio": Action.HEAR_AUDIO,
    "playground": Action.USE_PLAYGROUND,
    "playground_key": Action.USE_PLAYGROUND,
    "playground_history": Action.USE_PLAYGROUND,
    **dict.fromkeys(("voices", "voice_new", "voice_sample", "voice_rename", "voice_delete"), Action.MANAGE_VOICES),
    **dict.fromkeys(("consent_new", "consent_recording", "consent_delete"), Action.MANAGE_VOICES),
    "speak_as_written": Action.USE_PLAYGROUND,
    "pronunciation": Action.USE_PLAYGROUND,
    "pronunciation_create": Action.USE_PLAYGROUND,
    "pronunciation_change": Action.USE_PLAYGROUND,
    "pronunciation_delete": Action.USE_PLAYGROUND,
    "pronunciation_default": Action.MANAGE_KEYS,
    "billing": Action.SEE_BILLING,
    "budgets": Action.MANAGE_BUDGETS,
    "top_up": Action.PAY,
    "redeem": Action.PAY,
    "payment": Action.PAY,
    "save_card": Action.PAY,
    "recharge": Action.PAY,
    "recharge_stop": Action.PAY,
    "details": Action.PAY,
    "invoice": Action.SEE_BILLING,
    "movements_csv": Action.SEE_BILLING,
    "statement": Action.SEE_BILLING,
    "alert_rules": Action.MANAGE_ALERTS,
    "webhook_add": Action.MANAGE_ALERTS,
    "webhook_rotate": Action.MANAGE_ALERTS,
    "webhook_remove": Action.MANAGE_ALERTS,
    "webhook_test": Action.MANAGE_ALERTS,
    "webhook_events": Action.MANAGE_ALERTS,
    "delivery_again": Action.MANAGE_ALERTS,
    "invite": Action.MANAGE_MEMBERS,
    "withdraw": Action.MANAGE_MEMBERS,
    "member_role": Action.MANAGE_MEMBERS,
    "member_remove": Action.MANAGE_MEMBERS,
    "transfer": Action.TRANSFER,
    "settings": Action.RENAME,
    "retention": Action.RENAME,
    "batch_cancel": Action.MANAGE_BATCHES,
    "batch_results": Action.MANAGE_BATCHES,
    "batch_audio": Action.MANAGE_BATCHES,
    "organization_delete": Action.DELETE,
    "organization_export": Action.EXPORT,
    "activity": Action.SEE_ACTIVITY,
}
"""What a route needs beyond what every member may."""


def ids_of(office: Office) -> dict[str, object]:
    """A value for each id that a route may have."""
    member = person(f"{uuid4().hex}@example.com")
    Membership.objects.create(organization=office.organization, user=member, role="viewer")
    invitation, _ = invitations.create(
        organization=office.organization,
        email=f"{uuid4().hex}@example.com",
        role=Membership.Role.VIEWER,
        by=office.actor,
    )
    endpoint = WebhookEndpoint.objects.create(
        organization=office.organization, url=f"https://{uuid4().hex}.example/"
    )
    consent = custom_voices.create_consent(
        office.organization.id, name="Ada", language="en", text="I consent.", recording=b"fLaC"
    )
    voice = custom_voices.create(office.organization.id, name="Ada", consent_id=consent.id, sample=b"fLaC")
    return {
        "consent_id": consent.id,
        "voice_id": voice.id,
        "endpoint_id": endpoint.id,
        "delivery_id": Delivery.objects.create(organization=office.organization, endpoint=endpoint).id,
        "dictionary_id": pronunciations.create(
            organization_id=office.organization.id, name="Ours", rules=[PronunciationRule(grapheme="a", say="b")]
        ).dictionary_id,
        "public_id": office.key.public_id,
        "request_id": called(office).id,
        "user_id": member.pk,
        "invitation_id": invitation.id,
        "invoice_id": invoiced(office),
        "kind": "pdf",
        "batch_id": batch_of(office).id,
        "what": "output",
    }


def batch_of(office: Office) -> SpeechBatch:
    """A batch that has ended and left a file."""
    of = {"organization": office.organization, "filename": "x.jsonl", "bytes": 3, "expires_at": FAR}
    asked = File.objects.create(purpose="batch", path=f"{uuid4().hex}.jsonl", **of)
    path = files.store().save(f"{uuid4().hex}.jsonl", ContentFile(b"{}\n"))
    return SpeechBatch.objects.create(
        organization=office.organization,
        api_key=office.key,
        endpoint="/v1/audio/speech",
        input_file=asked,
        output_file=File.objects.create(purpose="batch_output", path=path, **of),
        state="completed",
        ended_at=timezone.now(),
        expires_at=FAR,
    )


def invoiced(office: Office) -> UUID:
    months_of_use.use(office.organization, 60_000)
    return months_of_use.issue(office.organization).pk


def address(route: URLPattern, office: Office, ids: dict[str, object]) -> str:
    named = route.pattern.converters
    return reverse(
        str(route.name), kwargs={"organization": office.organization.id} | {name: ids[name] for name in named}
    )


def everything(office: Office) -> list[object]:
    """What a stranger could have changed."""
    of = {"organization": office.organization}
    return [
        list(ApiKey.objects.filter(**of).order_by("id").values()),
        list(Membership.objects.filter(**of).order_by("id").values()),
        list(Invitation.objects.filter(**of).order_by("id").values()),
        *(list(table.objects.filter(**of).order_by("id").values()) for table in (WebhookEndpoint, Delivery)),
        *(list(table.objects.filter(**of).order_by("id").values()) for table in (AlertRule, Budget)),
        *(list(table.objects.filter(**of).order_by("id").values()) for table in (CustomVoice, VoiceConsent)),
        WebhookSecret.objects.filter(endpoint__organization=office.organization).count(),
        AuditEvent.objects.filter(organization_id=office.organization.id).count(),
        list(type(office.organization).objects.filter(id=office.organization.id).values()),
    ]


def both_methods(client: Client, path: str) -> set[int]:
    return {client.get(path).status_code, client.post(path, {"role": "admin", "name": "x"}).status_code}


def test_a_stranger_finds_nothing(acme: Office, rival: Office, subtests: pytest.Subtests) -> None:
    client, ids, before = browser(acme.owner), ids_of(rival), everything(rival)
    for name, route in ROUTES.items():
        with subtests.test(name):
            assert both_methods(client, address(route, rival, ids)) == {404}
    assert everything(rival) == before


def test_anothers_ids_are_nothing_under_ones_own_address(
    acme: Office, rival: Office, subtests: pytest.Subtests
) -> None:
    client, ids, before = browser(acme.owner), ids_of(rival), everything(rival)
    for name, route in ROUTES.items():
        if route.pattern.converters:
            with subtests.test(name):
                assert both_methods(client, address(route, acme, ids)) <= {404, 405}
    assert everything(rival) == before


def test_who_is_not_signed_in_is_sent_to_the_door(acme: Office, subtests: pytest.Subtests) -> None:
    client, ids = Client(), ids_of(acme)
    for name, route in ROUTES.items():
        path = address(route, acme, ids)
        for ask in (client.get, client.post):
            with subtests.test(name, method=ask.__name__):
                answer = ask(path)
                assert answer.status_code == 302
                assert answer.headers["location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says(acme: Office, role: str, subtests: pytest.Subtests) -> None:
    client = browser(acme.owner if role == "owner" else acme.join(f"{role}@acme.example", role))
    ids = ids_of(acme)
    for name, route in ROUTES.items():
        with subtests.test(name):
            answer = client.get(address(route, acme, ids))
            allowed = NEEDS.get(name, Action.SEE_USAGE) in ALLOWED[role]
            assert (answer.status_code != 403) == allowed, answer.status_code
            if not allowed:
                assert "you need one of these roles: " in answer.content.decode()


def test_a_viewer_changes_nothing_where_reading_is_allowed(acme: Office) -> None:
    viewer = browser(acme.join("viewer@acme.example", "viewer"))
    before = everything(acme)
    viewer.post(acme.path("start"))
    viewer.post(acme.path(f"keys/{acme.key.named}"), {"name": "mine now"})
    assert everything(acme) == before


def test_one_switches_between_ones_organizations(acme: Office, rival: Office) -> None:
    Membership.objects.create(organization=rival.organization, user=acme.owner, role="viewer")
    client = browser(acme.owner)
    assert "Rival" in client.get(acme.path("keys")).content.decode()
    client.get(rival.path("keys"))
    assert client.get("/console").url == rival.path()
