"""Customers reach nothing of the admin: every route that it has, on rows that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver

from billing.models import LedgerTransaction, OperatorAct
from tests.billing.invoices import months_of_use
from tests.console.people import Office, browser, called, office

pytestmark = pytest.mark.django_db

ANYBODYS = {"login/", "logout/"}
"""The doors themselves: one leads to the console's, the other ends one's own session."""
AN_ACT = {"reason": "because", "amount": "5", "confirm": "yes"}


def routes(of: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Every path, with its parameters as Django writes them."""
    for each in of:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, path)
        else:
            yield path


def addresses() -> Iterator[str]:
    """Every path with the id of a row, if there is one of the kind."""
    for route in routes(admin.site.get_urls()):
        if route not in ANYBODYS and not route.startswith("^"):
            yield "/admin/" + re.sub(r"<[^>]+>", str(row.pk if (row := row_of(route)) else 1), route)


def row_of(route: str) -> Model | None:
    found = re.match(r"(\w+)/(\w+)/", route)
    try:
        model = apps.get_model(*found.groups()) if found else None
    except LookupError:
        return None
    return model._default_manager.first() if model else None


def books() -> list[Any]:
    return [OperatorAct.objects.count(), [*LedgerTransaction.objects.order_by("id").values()]]


@pytest.fixture
def rival() -> Office:
    """A customer with something in the tables, an invoice among it."""
    rival = office("Rival")
    called(rival)
    organization = months_of_use.customer(limit="100")
    months_of_use.use(organization, 3_600_000)
    months_of_use.issue(organization)
    return rival


def test_every_route_is_closed_to_customers(rival: Office) -> None:
    customer, before = browser(office("Acme").owner), books()
    paths = [*addresses()]
    assert any(path.endswith("/give-credit/") for path in paths)
    for path in paths:
        for answer in (customer.get(path, follow=True), customer.post(path, AN_ACT, follow=True)):
            assert answer.status_code == 403, path
    assert books() == before


def test_every_route_sends_whoever_is_not_signed_in_to_the_door(rival: Office) -> None:
    before = books()
    for path in addresses():
        for answer in (Client().get(path, follow=True), Client().post(path, AN_ACT, follow=True)):
            assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next="), path
    assert books() == before
