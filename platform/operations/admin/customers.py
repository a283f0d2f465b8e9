"""Customers, their accounts, keys and people; operators, too."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin

from accounts import keys, organizations, visits
from accounts.models import ApiKey, AuditEvent, Organization, User
from billing import audit, ledger, terms
from billing.audit import Operator
from billing.invoices import dunning
from billing.models import Account
from operations import customer
from operations.admin.agreements import (
    CreditLimitForm,
    LimitsForm,
    OwnPriceForm,
    enter_price,
    put_limits,
)
from operations.admin.base import AmountForm, Looked, act
from operations.roles import Act
from webhooks.models import Delivery


def is_suspended(organization: Organization) -> bool:
    """By an operator, or for an overdue invoice."""
    account = Account.objects.filter(organization=organization, suspended_at__isnull=False)
    return organization.suspended_at is not None or account.exists()


@admin.register(Organization)
class Organizations(Looked):
    list_display = ("name", "shown_id", "created_at", "suspended_at")
    list_display_links = ("name",)
    search_help_text = "Name, member's e-mail, or org_ id"
    found_by = ("id",)
    found_in = ("name", "memberships__user__email")
    ordering = ("-id",)
    actions_detail: ClassVar[Any] = (
        {"title": "Money", "items": ["give_credit", "refund", "pay_out", "set_credit_limit", "set_price"]},
        {"title": "Access", "items": ["visit", "set_limits", "suspend", "end_suspension"]},
    )
    change_form_before_template = "operations/customer.html"

    @admin.display(description="Id", ordering="id")
    def shown_id(self, row: Organization) -> str:
        return f"org_{row.pk.hex}"

    def beside(self, row: Organization) -> dict[str, Any]:
        return {"sheet": customer.sheet(row)}

    @act("Give promotional credit", Act.MOVE_MONEY, AmountForm)
    def give_credit(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        ledger.grant(organization=organization, amount=asked["amount"], cause=asked["cause"], operator=operator)
        return f"${asked['amount']} of promotional credit given."

    @act("Refund as paid credit", Act.MOVE_MONEY, AmountForm)
    def refund(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        ledger.refund(organization=organization, amount=asked["amount"], cause=asked["cause"], operator=operator)
        return f"${asked['amount']} refunded."

    @act("Record a payout of paid credit", Act.MOVE_MONEY, AmountForm)
    def pay_out(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        ledger.pay_out(organization=organization, amount=asked["amount"], cause=asked["cause"], operator=operator)
        return f"${asked['amount']} recorded as paid out."

    @act("Set the credit limit", Act.AGREE, CreditLimitForm)
    def set_credit_limit(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        amount = asked["credit_limit"]
        terms.set_credit_limit(organization=organization, amount=amount)
        audit.record(operator, what=f"credit limit of organization {organization.pk} set to ${amount}")
        return f"The credit limit is ${amount}."

    @act("Set a custom price", Act.AGREE, OwnPriceForm)
    def set_price(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        return enter_price(operator, organization=organization, **asked)

    @act("Set limits", Act.SERVE, LimitsForm)
    def set_limits(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        return put_limits(organization, operator, asked, of=f"organization {organization.pk}")

    @act("Suspend", Act.SUSPEND, fits=lambda row: row.suspended_at is None)
    def suspend(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        if not organizations.suspend(organization_id=organization.pk):
            raise ValueError("This customer is already suspended.")
        audit.record(operator, what=f"organization {organization.pk} suspended")
        return "The customer is suspended. Its keys stop working within a second; running requests complete."

    @act("End suspension", Act.SUSPEND, fits=is_suspended)
    def end_suspension(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        """Ours, and the one for an overdue invoice."""
        resumed = organizations.resume(organization_id=organization.pk)
        if resumed:
            audit.record(operator, what=f"organization {organization.pk} resumed")
        if not dunning.lift_by_hand(organization=organization, operator=operator) and not resumed:
            raise ValueError("This customer is not suspended.")
        return "The suspension has ended."

    @act("Visit the console", Act.VISIT, then="overview")
    def visit(self, organization: Organization, operator: Operator, asked: dict[str, Any]) -> str:
        visitor = User.objects.get_by_natural_key(operator.actor)
        visits.begin(operator=visitor, organization=organization, reason=operator.reason)
        audit.record(operator, what=f"visit of organization {organization.pk}")
        return "The visit is recorded in the customer's activity log."


@admin.register(Account)
class Accounts(Looked):
    list_display = ("organization", "balance", "promotional", "held", "credit_limit", "overdraft", "suspended_at")
    list_display_links = ("organization",)
    list_select_related = ("organization",)
    search_help_text = "Organization's name or org_ id"
    found_by = ("organization",)
    found_in = ("organization__name",)
    ordering = ("-pk",)


@admin.register(ApiKey)
class Keys(Looked):
    list_display = ("name", "public_id", "organization", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_display_links = ("name",)
    list_select_related = ("organization",)
    search_help_text = "Key's sk- id, organization's name or org_ id"
    found_by = ("id", "public_id", "organization")
    found_in = ("organization__name",)
    ordering = ("-id",)
    exclude = ("secret_hmac", "pepper_number")
    actions_detail = ("set_limits", "revoke")

    @act("Set limits", Act.SERVE, LimitsForm)
    def set_limits(self, key: ApiKey, operator: Operator, asked: dict[str, Any]) -> str:
        return put_limits(key, operator, asked, of=f"key {key.named}")

    @act("Revoke key", Act.SERVE, fits=lambda key: key.revoked_at is None)
    def revoke(self, key: ApiKey, operator: Operator, asked: dict[str, Any]) -> str:
        if not keys.revoke(public_id=key.public_id):
            raise ValueError("This key is already revoked.")
        audit.record(operator, what=f"key sk-{key.public_id} revoked")
        return "The key is revoked."


@admin.register(User)
class People(Looked):
    list_display = ("email", "is_staff", "is_active", "date_joined", "last_login")
    list_display_links = ("email",)
    search_help_text = "E-mail address, or a part of it"
    found_in = ("email",)
    ordering = ("-pk",)
    exclude = ("password", "user_permissions")


@admin.register(AuditEvent)
class CustomersAudit(Looked):
    list_display = ("created_at", "action", "organization_id", "actor_id")
    list_display_links = ("created_at",)
    search_help_text = "org_ id"
    found_by = ("organization_id",)
    ordering = ("-id",)


@admin.register(Delivery)
class EventDeliveries(Looked):
    list_display = ("created_at", "organization", "kind", "state", "attempts", "next_try_at", "error")
    list_display_links = ("created_at",)
    list_select_related = ("organization",)
    search_help_text = "Organization's name or org_ id"
    found_by = ("id", "organization")
    found_in = ("organization__name",)
    ordering = ("-id",)
    exclude = ("endpoint", "data")  # its URL may contain a secret of the customer
