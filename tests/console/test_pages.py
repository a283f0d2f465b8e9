"""What holds for every page: few queries however much there is, few bytes, nothing inline, and our own errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import path
from pytest_django import DjangoAssertNumQueries

from accounts import invitations
from accounts.models import Membership
from billing import budgets
from billing.alerts import detection, rules
from billing.alerts.rules import Rules
from billing.models import Budget
from config.urls import urlpatterns as real
from console.middleware import POLICY
from tests.console.people import Office, browser, called, history
from webhooks import endpoints

MOST_BYTES = 300_000

# Three find the person: session, user, memberships; on whole pages one more finds what is announced. A refresh of
# the rollups is a lock and a look for what is due, in a savepoint here.
QUERIES = {
    "": 14,
    "start": 7,
    "start/check": 4,
    "playground": 6,
    "playground/history": 4,
    "voices": 6,
    "playground/written": 4,
    "pronunciation": 6,
    "usage": 10,
    "usage?by=key": 11,
    "usage?range=90d&by=voice": 10,
    "usage.csv?by=key": 10,
    "requests": 7,
    "requests?voice=nova&outcome=ok": 7,
    "requests/{request}": 8,
    "keys": 10,
    "keys/new": 4,
    "keys/{key}": 8,
    "billing": 16,
    "alerts": 9,
    "members": 6,
    "settings": 4,
    "activity": 5,
}
PUBLIC = (
    "/",
    "/reference",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/invitations/unknown",
    "/nothing",
)


@pytest.fixture
def busy(acme: Office) -> Office:
    """A customer with some of everything."""
    history(acme, 30, 4)
    for number in range(12):
        acme.join(f"member{number}@acme.example", Membership.Role.DEVELOPER)
        invitations.create(
            organization=acme.organization,
            email=f"guest{number}@acme.example",
            role=Membership.Role.VIEWER,
            by=acme.actor,
        )
    for number in range(3):
        endpoints.add(organization=acme.organization, url=f"https://hooks.acme.example/{number}")
    rules.put(organization=acme.organization, rules=Rules(percents=(50, 80), credit=Decimal(5)))
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=Decimal("0.01"))
    detection.fire_due()
    return acme


def fill(office: Office, page: str) -> str:
    return office.path(page.replace("{key}", office.key.named))


@pytest.mark.parametrize("page", QUERIES)
def test_queries_are_few_and_pinned(
    busy: Office, page: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = called(busy)
    address = fill(busy, page).replace("{request}", f"req_{row.id.hex}")
    client = browser(busy.owner)
    client.get(busy.path("usage"))  # what was due is summed up, and the session knows the organization
    with django_assert_num_queries(QUERIES[page]):
        answer = client.get(address)
    assert answer.status_code == (286 if page == "start/check" else 200)
    assert len(answer.content) < MOST_BYTES


def test_a_year_by_key_is_no_large_page(busy: Office) -> None:
    for query in ("range=90d&by=voice", "start=2026-08-24&end=2026-11-23&by=key", "range=12m&by=key"):
        answer = browser(busy.owner).get(busy.path(f"usage?{query}"))
        assert len(answer.content) < MOST_BYTES


def every_page(office: Office) -> list[str]:
    row = called(office)
    own = [fill(office, page).replace("{request}", f"req_{row.id.hex}") for page in QUERIES if "csv" not in page]
    return [*own, "/accounts/email/", "/accounts/2fa/", "/accounts/password/change/", *PUBLIC]


def test_nothing_is_inline_and_nothing_from_elsewhere(acme: Office) -> None:
    client = browser(acme.owner)
    for page in every_page(acme):
        for visitor in (client, Client()):
            answer = visitor.get(page, follow=True)
            html = answer.content.decode()
            assert answer.headers["content-security-policy"] == POLICY
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), page
            assert re.findall(r"<script(?![^>]*(?: src=\"/static/|type=\"application/json\"))", html) == [], page
            assert not re.search(r"<(?:script|link|img|audio|iframe)[^>]*(?:src|href)=\"(?:https?:)?//", html), (
                page
            )
    assert "unsafe" not in POLICY


@pytest.mark.django_db
def test_static_files_are_served() -> None:
    client = Client()
    for name, kind in (
        ("console.css", "text/css"),
        ("console.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ):
        answer = client.get(f"/static/console/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        again = client.get(f"/static/console/{name}", headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def _break(request: HttpRequest) -> None:
    raise RuntimeError("secret words")


urlpatterns = [*real, path("break", _break)]


@pytest.mark.django_db
def test_errors_are_pages_of_ours(acme: Office) -> None:
    member = browser(acme.join("viewer@acme.example", "viewer"))
    with override_settings(ROOT_URLCONF=__name__):
        visitor = Client(raise_request_exception=False)
        forger = Client(enforce_csrf_checks=True)
        cases: list[tuple[int, str, Callable[[], object]]] = [
            (404, "Page not found", lambda: visitor.get("/nothing")),
            (403, "you need one of these roles", lambda: member.get(acme.path("billing"))),
            (400, "Check the address", lambda: member.get(acme.path("usage.csv?range=x"))),
            (403, "Please send the form again", lambda: forger.post("/accounts/login/")),
            (500, "Something went wrong on our side", lambda: visitor.get("/break")),
        ]
        for status, words, ask in cases:
            answer = ask()
            html = answer.content.decode()  # type: ignore[attr-defined]
            assert answer.status_code == status  # type: ignore[attr-defined]
            assert words in html
            assert "console/console.css" in html
            assert "secret words" not in html


def test_pages_of_members_are_not_kept(acme: Office) -> None:
    answer = browser(acme.owner).get(acme.path("keys"))
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_cookies_keep_to_themselves(acme: Office) -> None:
    answer = browser(acme.owner).get(acme.path("keys/new"))
    assert answer.cookies["csrftoken"]["httponly"]
    assert answer.cookies["csrftoken"]["samesite"] == "Lax"


def test_a_month_of_movements_is_the_balance(acme: Office) -> None:
    history(acme, 1, 20)
    html = browser(acme.owner).get(acme.path("billing")).content.decode()
    assert "Promotional credit" in html
    assert "+$1.00" in html
    assert html.count(">Usage ") >= 1
    empty = browser(acme.owner).get(acme.path("billing?month=2020-01")).content.decode()
    assert "No transactions" in empty
