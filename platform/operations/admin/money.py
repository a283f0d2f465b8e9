"""The price book, the ledger and operators' acts. Nothing can be edited; money moves by acts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.admin import TabularInline

from billing import audit, terms
from billing.audit import Operator
from billing.models import (
    LedgerEntry,
    LedgerTransaction,
    OperatorAct,
    Price,
    Reservation,
    UsageRecord,
    Verification,
)
from operations.admin.agreements import PriceForm, enter_price
from operations.admin.base import Looked, act
from operations.roles import Act


class Entries(TabularInline):  # type: ignore[misc]  # it has no types
    model = LedgerEntry
    fields = ("account", "amount")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return True


@admin.register(LedgerTransaction)
class Transactions(Looked):
    list_display = ("created_at", "kind", "cause", "organization")
    list_display_links = ("created_at",)
    list_select_related = ("organization",)
    found_by = ("id", "cause")
    ordering = ("-id",)
    inlines = (Entries,)


@admin.register(UsageRecord)
class Usage(Looked):
    list_display = ("created_at", "organization", "model", "voice", "duration_ms", "dollars_per_minute", "cost")
    list_display_links = ("created_at",)
    list_select_related = ("organization",)
    found_by = ("job_id",)
    ordering = ("-job_id",)


@admin.register(Reservation)
class Reservations(Looked):
    list_display = ("job_id", "organization", "amount", "state", "created_at")
    list_display_links = ("job_id",)
    list_select_related = ("organization",)
    found_by = ("job_id",)
    ordering = ("-job_id",)


@admin.register(Price)
class Prices(Looked):
    list_display = ("model", "organization", "dollars_per_minute", "valid_from", "valid_to")
    list_display_links = ("model",)
    list_select_related = ("organization",)
    found_by = ("model", "organization")
    ordering = ("model", "-valid_from")
    actions_detail = ("follow", "end")

    @act("Enter the price that follows", Act.AGREE, PriceForm)
    def follow(self, price: Price, operator: Operator, asked: dict[str, Any]) -> str:
        """For the same model and the same customer, or for all customers."""
        return enter_price(operator, organization=price.organization, model=price.model, **asked)

    @act("End this price", Act.AGREE)
    def end(self, price: Price, operator: Operator, asked: dict[str, Any]) -> str:
        ended = terms.end_price(price)
        audit.record(operator, what=f"price {price.pk} ended: {ended}")
        return f"It ends: {ended}."


@admin.register(OperatorAct)
class Acts(Looked):
    list_display = ("created_at", "actor", "reason", "what", "transaction")
    list_display_links = ("created_at",)
    list_select_related = ("transaction",)
    found_by = ("id", "actor")
    ordering = ("-id",)


@admin.register(Verification)
class Proofs(Looked):
    list_display = ("at", "drift", "offenders", "late_settlements", "whole", "took")
    list_display_links = ("at",)
    ordering = ("-at",)
