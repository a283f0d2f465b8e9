"""Calls to Stripe, its events, and differences between its books and ours."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from billing import audit
from billing.audit import Operator
from billing.models import StripeCall, StripeDelivery, StripeDifference, StripeEvent, StripePayment
from billing.stripe import sending, webhooks
from operations.admin.base import Looked, act
from operations.roles import Act


@admin.register(StripeCall)
class Calls(Looked):
    list_display = ("created_at", "operation", "key", "state", "attempts", "error")
    list_display_links = ("created_at",)
    list_filter = ("state",)
    found_by = ("key", "id", "stripe_id")
    ordering = ("-id",)
    actions_detail = ("retry",)

    @act("Send this call again", Act.RUN)
    def retry(self, call: StripeCall, operator: Operator, asked: dict[str, Any]) -> str:
        if not sending.retry(call.id):
            raise ValueError("Only a dead call is sent again.")
        audit.record(operator, what=f"Stripe call {call.key} sent again"[:200])
        return "The call is due again."


@admin.register(StripeEvent)
class Events(Looked):
    list_display = ("created_at", "type", "subject", "state", "attempts", "error")
    list_display_links = ("created_at",)
    list_filter = ("state",)
    found_by = ("id",)
    ordering = ("-received_at",)
    actions_detail = ("replay",)

    @act("Give this event its effect again", Act.RUN)
    def replay(self, event: StripeEvent, operator: Operator, asked: dict[str, Any]) -> str:
        after = webhooks.replay(event.id)
        audit.record(operator, what=f"Stripe event {event.id} replayed")
        return f"The event is {after.state}."


@admin.register(StripeDelivery)
class Deliveries(Looked):
    list_display = ("received_at", "verified", "complaint")
    list_display_links = ("received_at",)
    ordering = ("-pk",)
    exclude = ("body", "signature")


@admin.register(StripePayment)
class Payments(Looked):
    list_display = ("created_at", "organization", "purpose", "amount", "returned", "state", "failure")
    list_display_links = ("created_at",)
    list_select_related = ("organization",)
    found_by = ("id", "payment_intent", "organization")
    ordering = ("-id",)


@admin.register(StripeDifference)
class Differences(Looked):
    list_display = ("kind", "subject", "ours", "theirs", "state")
    list_display_links = ("kind",)
    list_filter = ("state",)
    ordering = ("-pk",)
