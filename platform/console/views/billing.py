"""Billing: balance, payment, invoices, budgets, and the transactions of each month."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from billing import budgets
from billing.alerts import rules
from billing.invoices import selectors
from billing.invoices import statements as usage_statements
from billing.models import Account
from billing.stripe import client
from console import budget_actions, statements, streaming
from console.access import Member, member_view
from console.billing_forms import BudgetForm, PromotionForm, TopUpForm
from console.middleware import with_checkout
from inference import spool
from usage import usage

MOST_INVOICES = 36
"""Three years of months."""


@member_view(Action.SEE_BILLING)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return page(request, member)


@member_view(Action.SEE_BILLING)
@require_safe
def movements_csv(request: HttpRequest, member: Member) -> HttpResponse:
    """A month's transactions as CSV."""
    month = _month_asked(request)
    found = statements.movements(organization_id=member.organization.id, month=month)
    return HttpResponse(statements.as_csv(found), headers=_download(f"movements-{month:%Y-%m}.csv"))


@member_view(Action.SEE_BILLING)
@require_safe
def statement(request: HttpRequest, member: Member) -> StreamingHttpResponse:
    """Every request of a month, with what its price is calculated from."""
    month = _month_asked(request)
    start = datetime.combine(month, time(), UTC)
    lines = usage_statements.as_csv(organization=member.organization, start=start, end=statements.following(start))
    content = streaming.pieces(spool.drained(line.encode() for line in lines), at_once=1)
    return StreamingHttpResponse(content, headers=_download(f"statement-{month:%Y-%m}.csv"))


@member_view(Action.MANAGE_BUDGETS)
@require_POST
def set_budgets(request: HttpRequest, member: Member) -> HttpResponse:
    form = BudgetForm(request.POST)
    if not form.is_valid():
        return page(request, member, budget=form)
    budget_actions.put(member=member, amounts=form.amounts())
    messages.success(request, "Saved.")
    return redirect("billing", member.organization.id)


def page(
    request: HttpRequest,
    member: Member,
    *,
    budget: BudgetForm | None = None,
    top_up: TopUpForm | None = None,
    promotion: PromotionForm | None = None,
) -> HttpResponse:
    """The page, with the errors of the submitted form."""
    today = timezone.now().astimezone(UTC).date()
    month = _month_asked(request)
    holding = budgets.status(organization_id=member.organization.id)
    account = Account.objects.filter(organization=member.organization).first() or Account()
    movements = statements.movements(organization_id=member.organization.id, month=month)
    context = {
        "member": member,
        "section": "billing",
        "account": account,
        "paid": account.balance - account.promotional,
        "available": account.balance + account.credit_limit - account.held,
        "spent": usage.spent(organization_id=member.organization.id),
        "budgets": holding,
        "thresholds": rules.of(member.organization.id).percents,
        "form": budget or BudgetForm(initial={each.period: f"{each.amount.normalize():f}" for each in holding}),
        "top_up": (top_up or TopUpForm()) if client.is_configured() else None,
        "promotion": promotion or PromotionForm(),
        "invoices": selectors.issued(member.organization).select_related("at_stripe")[:MOST_INVOICES],
        "was_paid": "paid" in request.GET,
        "month": month,
        "before": (month - timedelta(days=1)).replace(day=1),
        "after": following if (following := (month + timedelta(days=32)).replace(day=1)) <= today else None,
        "movements": movements,
    }
    wrong = budget or top_up or promotion
    return with_checkout(render(request, "console/billing.html", context, status=400 if wrong else 200))


def _download(name: str) -> dict[str, str]:
    return {"content-type": "text/csv; charset=utf-8", "content-disposition": f'attachment; filename="{name}"'}


def _month_asked(request: HttpRequest) -> date:
    """`?month=2026-11` as its first day; the current month if it is invalid."""
    today = timezone.now().astimezone(UTC).date()
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return today.replace(day=1)
    return month if date(2000, 1, 1) <= month <= today else today.replace(day=1)
