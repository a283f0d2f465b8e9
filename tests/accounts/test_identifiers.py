"""Ids on the command line are those that pages show."""

from __future__ import annotations

from argparse import ArgumentTypeError
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.identifiers import id_argument
from billing.models import Account
from tests.console.people import office


def test_an_id_is_a_uuid_or_as_pages_show_it() -> None:
    id = uuid4()
    for text in (str(id), id.hex, f"org_{id.hex}", f"audio_{id.hex}", f"req_{id.hex}"):
        assert id_argument(text) == id
    for wrong in ("", "acme", "org_", "org_12", "_" + id.hex[:-1], f"{id.hex}_org"):
        with pytest.raises(ArgumentTypeError, match="is not an id"):
            id_argument(wrong)


@pytest.mark.django_db
def test_the_ledger_takes_the_consoles_id_and_says_what_it_booked() -> None:
    acme = office("Acme", "0")
    shown = f"org_{acme.organization.pk.hex}"
    how = ("--cause", "wire-4711", "--reason", "bank transfer", "--actor", "you@example.com")
    said = StringIO()
    call_command("ledger", "top-up", shown, "20", *how, stdout=said)
    assert f"Booked: top_up for Acme ({shown}). Available now: $20.000000000." in said.getvalue()
    assert Account.objects.get(organization=acme.organization).balance == Decimal(20)
    with pytest.raises(CommandError, match="is not an id"):
        call_command("ledger", "top-up", "Acme", "20", *how)
