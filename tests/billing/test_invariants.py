"""What the database refuses, whoever connects."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F

import billing
from billing import ledger
from billing.models import LedgerEntry, LedgerTransaction, OperatorAct, Price, UsageRecord
from tests.billing.books import OPERATOR, admit, new_organization, usage

pytestmark = pytest.mark.django_db


def test_what_is_booked_cannot_be_changed() -> None:
    organization = new_organization(given="1")
    ledger.settle(usage(admit(organization)))
    ledger.top_up(organization=organization, amount=Decimal(1), cause="t", operator=OPERATOR)
    columns = {LedgerTransaction: "cause", LedgerEntry: "amount", UsageRecord: "cost", OperatorAct: "reason"}
    for model, column in columns.items():
        rows = model._default_manager.all()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(**{column: F(column)})
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows._raw_delete(using="default")


def test_a_price_is_a_promise_until_its_end() -> None:
    price = Price.objects.get(organization=None, model="boson/higgs-audio-v2.5")
    for column in ("dollars_per_minute", "model", "valid_from"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Price.objects.update(**{column: F(column)})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Price.objects.all()._raw_delete(using="default")
    with pytest.raises(IntegrityError, match="price_ends_after_it_begins"), transaction.atomic():
        Price.objects.update(valid_to=price.valid_from)
    with pytest.raises(IntegrityError, match="price_once_per_moment"), transaction.atomic():
        Price.objects.create(model=price.model, valid_from=price.valid_from, dollars_per_minute=1)


def test_what_does_not_sum_to_zero_cannot_be_booked() -> None:
    organization = new_organization(given="1")
    booked = LedgerTransaction.objects.get()
    fresh = LedgerTransaction.objects.create(kind="grant", cause="lopsided", organization=organization)
    for movement in (booked, fresh):
        with pytest.raises(IntegrityError, match="does not sum to zero"), transaction.atomic():
            LedgerEntry.objects.create(transaction=movement, account="revenue", amount=Decimal(1))


def test_only_known_accounts_and_kinds_are_booked() -> None:
    organization = new_organization()
    with pytest.raises(IntegrityError, match="ledger_kind_known"), transaction.atomic():
        LedgerTransaction.objects.create(kind="gift", cause="g", organization=organization)
    movement = LedgerTransaction.objects.create(kind="grant", cause="g", organization=organization)
    with pytest.raises(IntegrityError, match="ledger_account_known"), transaction.atomic():
        LedgerEntry.objects.bulk_create(
            LedgerEntry(transaction=movement, account="pocket", amount=amount) for amount in (1, -1)
        )
    with pytest.raises(IntegrityError, match="ledger_correction_names"), transaction.atomic():
        LedgerTransaction.objects.create(kind="correction", cause="c", organization=organization)


def test_no_float_comes_near_money() -> None:
    of_the_network = Path(billing.__file__).parent / "alerts" / "posting.py"  # seconds, which are floats honestly
    for path in {*Path(billing.__file__).parent.rglob("*.py")} - {of_the_network}:
        for node in ast.walk(ast.parse(path.read_text())):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            says_float = isinstance(node, ast.Name) and node.id == "float"
            assert not is_float, f"{path}:{getattr(node, 'lineno', '?')}"
            assert not says_float, f"{path}:{getattr(node, 'lineno', '?')}"
