"""What is deleted is nowhere: not in the store, not in Redis, in no column of any table. The books add up."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import redis
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from openai import OpenAI
from psycopg import sql

from accounts import organizations
from accounts.audit import Actor
from accounts.models import AuditEvent, Membership, Organization, User
from billing import verification
from billing.models import UsageRecord
from gateway.batches import files
from gateway.models import File
from inference import assets, channel
from inference.models import AudioAsset, SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import ask, body, scripted, speak
from tests.live import Service
from usage.models import RequestLog


def found(canary: str) -> list[str]:
    """Where the words stand, in whatever table and column, case ignored."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT table_name, column_name FROM information_schema.columns JOIN pg_class ON relname = table_name
            WHERE table_schema = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
            """
        )
        columns = cursor.fetchall()
        places = []
        for table, column in columns:
            where = sql.SQL("SELECT count(*) FROM {} WHERE {}::text ILIKE %s")
            query = where.format(sql.Identifier(table), sql.Identifier(column))
            cursor.execute(query, (f"%{canary}%",))
            if cursor.fetchone()[0]:
                places.append(f"{table}.{column}")
    return places


def job_of(completion: Any) -> UUID:
    return UUID(completion.id.removeprefix("chatcmpl-"))


def delete(service: Service, customer: Customer, path: str) -> httpx.Response:
    return httpx.delete(f"{service.url}/v1/{path}", headers=customer.headers).raise_for_status()


@pytest.mark.parametrize("what", ["audio", "completion"])
def test_a_deleted_answer_leaves_nothing_in_redis_store_and_database(
    service: Service, customer: Customer, client: OpenAI, broker: redis.Redis, canary: str, what: str
) -> None:
    completion = speak(client, f"The {canary} sings.")
    job_id = job_of(completion)
    stored = AudioAsset.objects.get(job_id=job_id)
    assert httpx.get(f"{service.url}/v1/audio/audio_{job_id.hex}?format=mp3", headers=customer.headers).is_success
    paths = [stored.path, *AudioAsset.objects.get(job_id=job_id).conversions.values()]
    assert broker.exists(channel.key(job_id))
    assert found(canary)
    name = f"audio/audio_{job_id.hex}" if what == "audio" else f"chat/completions/{completion.id}"
    delete(service, customer, name)
    assert not broker.exists(channel.key(job_id))
    assert not any(assets.store().exists(path) for path in paths)
    assert found(canary) == []
    assert SynthesisJob.objects.get(id=job_id).fingerprint is None
    assert UsageRecord.objects.filter(job_id=job_id).exists()


def test_an_ended_stream_stays_for_a_retry_only(client: OpenAI, broker: redis.Redis) -> None:
    completion = ask(client, scripted(3))
    assert 0 < broker.ttl(channel.key(job_of(completion))) <= 30


def test_the_stored_audio_answers_once_the_stream_is_gone(
    service: Service, customer: Customer, broker: redis.Redis
) -> None:
    headers = {**customer.headers, "idempotency-key": uuid4().hex}

    def post() -> dict[str, Any]:
        answer = httpx.post(f"{service.url}/v1/chat/completions", json=scripted(5), headers=headers, timeout=30)
        result: dict[str, Any] = answer.raise_for_status().json()
        return result

    first = post()
    broker.delete(channel.key(UUID(first["id"].removeprefix("chatcmpl-"))))
    assert post()["choices"][0]["message"]["audio"]["data"] == first["choices"][0]["message"]["audio"]["data"]


def test_a_request_is_not_told_from_its_fingerprint(client: OpenAI, customer: Customer) -> None:
    import hashlib
    import json

    guess = body("Guess me.")
    job_id = job_of(ask(client, guess))
    canonical = json.dumps(["/v1/chat/completions", guess], sort_keys=True, ensure_ascii=False).encode()
    unsalted = UUID(bytes=hashlib.blake2b(canonical, digest_size=16).digest())
    kept = SynthesisJob.objects.get(id=job_id).fingerprint
    assert kept is not None
    assert kept != unsalted


def test_a_repetition_of_deleted_audio_is_gone_and_not_spoken_again(service: Service, customer: Customer) -> None:
    headers = {**customer.headers, "idempotency-key": uuid4().hex}
    answer = httpx.post(f"{service.url}/v1/chat/completions", json=scripted(3), headers=headers, timeout=30)
    delete(service, customer, f"chat/completions/{answer.json()['id']}")
    again = httpx.post(f"{service.url}/v1/chat/completions", json=scripted(3), headers=headers, timeout=30)
    assert (again.status_code, again.json()["error"]["code"]) == (410, "audio_expired")
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 1


def test_a_deleted_organization_is_nowhere_and_the_books_add_up(
    service: Service, personal: Customer, canary: str, broker: redis.Redis
) -> None:
    organization_id = personal.organization.id
    asset, spoken_in_batch = AudioAsset.objects.filter(organization=organization_id).order_by("job_id")
    paths = list(File.objects.filter(organization=organization_id).values_list("path", flat=True))
    assert len(paths) == 2
    usage = list(UsageRecord.objects.filter(organization=organization_id).values())
    assert len(found(canary)) > 10
    call_command("delete_organization", str(organization_id), yes=True)
    assert found(canary) == []
    assert not any(assets.store().exists(each.path) for each in (asset, spoken_in_batch))
    assert not any(files.store().exists(path) for path in paths)
    assert not broker.exists(channel.key(asset.job_id))
    assert list(UsageRecord.objects.filter(organization=organization_id).values()) == usage
    assert Organization.objects.get(id=organization_id).name.startswith("Deleted customer")
    for row in RequestLog.objects.filter(organization_id=organization_id):
        assert (row.client_address, row.user_agent) == (None, "")
    acts = AuditEvent.objects.filter(organization_id=organization_id).order_by("id")
    assert {(act.address, act.subject) for act in acts} == {(None, "")}
    assert acts.last().action == AuditEvent.Action.ORGANIZATION_DELETED
    assert httpx.get(f"{service.url}/v1/key", headers=personal.headers).status_code == 401
    assert not organizations.resume(organization_id=organization_id)


def test_the_books_are_proven_after_a_deletion(personal: Customer) -> None:
    before = verification.verify().drift
    call_command("delete_organization", str(personal.organization.id), yes=True)
    assert verification.verify().drift == before


def test_running_speech_is_ended_and_billed_first(service: Service, customer: Customer) -> None:
    with (
        httpx.Client(headers=customer.headers, timeout=30) as client,
        client.stream(
            "POST", f"{service.url}/v1/chat/completions", json=scripted(500, pace=0.04, stream=True)
        ) as answer,
    ):
        next(answer.iter_bytes())
        call_command("delete_organization", str(customer.organization.id), yes=True)
        job = SynthesisJob.objects.get(organization=customer.organization)
        assert job.state == SynthesisJob.State.CANCELLED
        assert UsageRecord.objects.get(job_id=job.id).samples == job.samples


def test_a_person_goes_and_the_organization_stays(personal: Customer, canary: str) -> None:
    email = f"member-{canary}@example.com"
    member = User.objects.get(email=email)
    organizations.change_role(
        organization_id=personal.organization.id,
        user_id=member.id,
        role=Membership.Role.ADMIN,
        by=Actor(user=personal.organization.members.get(memberships__role="owner")),
    )
    browser = Client()
    browser.force_login(member)
    assert Session.objects.filter(session_key=browser.session.session_key).exists()
    call_command("delete_user", email, yes=True)
    assert found(email) == []
    assert not Session.objects.filter(session_key=browser.session.session_key).exists()
    assert personal.organization.members.count() == 1


def test_who_owns_or_owes_is_not_deleted(personal: Customer, canary: str) -> None:
    with pytest.raises(CommandError, match="owns"):
        call_command("delete_user", f"{canary}@example.com", yes=True)
    with pytest.raises(CommandError, match="add --yes"):
        call_command("delete_organization", str(personal.organization.id))
    with pytest.raises(CommandError, match="no such organization"):
        call_command("delete_organization", str(uuid4()), yes=True)
    assert found(canary)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET actor = 'somebody else'",
        "UPDATE accounts_auditevent SET action = 'key.created', actor = ''",
        "DELETE FROM accounts_auditevent",
        "UPDATE gateway_requestlog SET status = 200, user_agent = ''",
        "UPDATE gateway_requestlog SET user_agent = 'another'",
        "DELETE FROM gateway_requestlog",
    ],
)
def test_the_logs_forget_and_nothing_else(personal: Customer, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


PASSWORD = "a long phrase of mine"


@pytest.fixture
def owner(personal: Customer) -> User:
    owner: User = personal.organization.members.get(memberships__role="owner")
    return owner


def signed_in(user: User, *, asked_again: bool) -> Client:
    user.set_password(PASSWORD)
    user.save()
    browser = Client()
    browser.force_login(user)
    if asked_again:
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


def test_an_owner_who_was_asked_again_deletes_the_organization(
    personal: Customer, owner: User, canary: str
) -> None:
    page = f"/console/org_{personal.organization.id.hex}/delete"
    browser = signed_in(owner, asked_again=True)
    assert "Delete permanently" in browser.get(page).content.decode()
    assert browser.post(page, {"name": "another"}).status_code == 400
    assert found(canary)
    answer = browser.post(page, {"name": f"{canary} GmbH"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert found(canary) == []
    act = AuditEvent.objects.filter(organization_id=personal.organization.id).latest("id")
    assert (act.action, act.actor_id) == (AuditEvent.Action.ORGANIZATION_DELETED, owner.pk)


def test_a_session_alone_deletes_nothing(personal: Customer, owner: User, canary: str) -> None:
    answer = signed_in(owner, asked_again=False).post(
        f"/console/org_{personal.organization.id.hex}/delete", {"name": f"{canary} GmbH"}
    )
    assert answer.status_code == 302
    assert "/accounts/reauthenticate/" in answer.headers["location"]
    assert Organization.objects.get(id=personal.organization.id).deleted_at is None


def test_a_person_deletes_the_own_account(personal: Customer, owner: User, canary: str) -> None:
    refused = signed_in(owner, asked_again=True).post("/console/account/delete", {"name": owner.email})
    assert (refused.status_code, "owns" in refused.content.decode()) == (400, True)
    email = f"member-{canary}@example.com"
    answer = signed_in(User.objects.get(email=email), asked_again=True).post(
        "/console/account/delete", {"name": email}
    )
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert found(email) == []
