"""Customers, their accounts and keys, and the people of both sides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts import keys, visits
from accounts.models import ApiKey, AuditEvent, Organization, User
from billing import audit, ledger
from billing.audit import Operator
from billing.invoices import dunning
from billing.models import Account
from operations.admin.base import Looked, ReasonForm, act
from operations.roles import Act


class AmountForm(ReasonForm):
    amount = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="Dollars.",
    )
    # Sent twice, it is booked once.
    cause = forms.CharField(max_length=100, widget=forms.HiddenInput, initial=lambda: f"operator:{uuid4()}")
    field_order = ("amount", "reason")


@admin.register(Organization)
class Organizations(Looked):
    list_display = ("name", "id", "created_at")
    list_display_links = ("name",)
    found_by = ("id", "name")
    ordering = ("-id",)
    actions_detail = ("give_credit", "refund", "pay_out", "end_suspension", "visit")

    @act("Give promotional credit", Act.MOVE_MONEY, AmountForm)
    def give_credit(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        ledger.grant(organization=organization, amount=asked["amount"], cause=asked["cause"], operator=operator)
        return f"${asked['amount']} of promotional credit given."

    @act("Refund as paid credit", Act.MOVE_MONEY, AmountForm)
    def refund(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        ledger.refund(organization=organization, amount=asked["amount"], cause=asked["cause"], operator=operator)
        return f"${asked['amount']} refunded."

    @act("Book a pay-out of paid credit", Act.MOVE_MONEY, AmountForm)
    def pay_out(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        ledger.pay_out(organization=organization, amount=asked["amount"], cause=asked["cause"], operator=operator)
        return f"${asked['amount']} booked as paid out."

    @act("End the suspension", Act.SUSPEND)
    def end_suspension(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        if not dunning.lift_by_hand(organization=organization, operator=operator):
            raise ValueError("This customer is not suspended.")
        return "The suspension has ended."

    @act("Visit the console", Act.VISIT, then="overview")
    def visit(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        visitor = User.objects.get_by_natural_key(operator.actor)
        visits.begin(operator=visitor, organization=organization, reason=operator.reason)
        audit.record(operator, what=f"visit of organization {organization.pk}")
        return "The visit stands in the customer's activity log."


@admin.register(Account)
class Accounts(Looked):
    list_display = ("organization", "balance", "promotional", "held", "credit_limit", "overdraft", "suspended_at")
    list_display_links = ("organization",)
    list_select_related = ("organization",)
    found_by = ("organization",)
    ordering = ("-pk",)


@admin.register(ApiKey)
class Keys(Looked):
    list_display = ("name", "public_id", "organization", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_display_links = ("name",)
    list_select_related = ("organization",)
    found_by = ("id", "public_id", "organization")
    ordering = ("-id",)
    exclude = ("secret_hmac", "pepper_number")
    actions_detail = ("revoke",)

    @act("Revoke this key", Act.SERVE)
    def revoke(self, key: ApiKey, operator: Operator, asked: dict[str, Any]) -> str:
        if not keys.revoke(public_id=key.public_id):
            raise ValueError("This key is revoked already.")
        audit.record(operator, what=f"key sk-{key.public_id} revoked")
        return "The key is revoked."


@admin.register(User)
class People(Looked):
    list_display = ("email", "is_staff", "is_active", "date_joined", "last_login")
    list_display_links = ("email",)
    found_by = ("email",)
    ordering = ("-pk",)
    exclude = ("password", "user_permissions")


@admin.register(AuditEvent)
class CustomersAudit(Looked):
    list_display = ("created_at", "action", "organization_id", "actor_id")
    list_display_links = ("created_at",)
    found_by = ("organization_id",)
    ordering = ("-id",)
