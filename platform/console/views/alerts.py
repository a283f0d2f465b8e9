"""Alerts: rules, webhooks and deliveries."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from billing import budgets
from billing.alerts import events, rules
from console import alert_actions
from console.access import Member, member_view
from console.alert_forms import AlertsForm, WebhookEventsForm, WebhookForm
from webhooks import endpoints, outbox
from webhooks.events import EVERY, KINDS
from webhooks.models import Delivery, WebhookEndpoint

MOST_DELIVERIES = 50
MONEY = (events.CREDIT,)


@member_view(Action.SEE_ALERTS)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return _page(request, member)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def put_rules(request: HttpRequest, member: Member) -> HttpResponse:
    form = AlertsForm(request.POST)
    if not form.is_valid():
        return _page(request, member, form=form)
    alert_actions.put_rules(member=member, wanted=form.rules())
    messages.success(request, "Saved.")
    return redirect("alerts", member.organization.id)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def add_webhook(request: HttpRequest, member: Member) -> HttpResponse:
    """The response shows the endpoint's secret, once."""
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            endpoint, secret = alert_actions.add_webhook(member=member, **form.cleaned_data)
        except endpoints.AlreadyThere:
            form.add_error("url", "This webhook already exists.")
        except endpoints.TooMany:
            form.add_error("url", f"You can have at most {endpoints.MOST} webhooks. Remove one first.")
        else:
            return _page(request, member, secret_of=endpoint, secret=secret)
    return _page(request, member, webhook_form=form)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def choose_webhook_events(request: HttpRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_object_or_404(_endpoints(member), id=endpoint_id)
    form = WebhookEventsForm(request.POST)
    if form.is_valid():
        alert_actions.choose_events(member=member, endpoint=endpoint, **form.cleaned_data)
        messages.success(request, "Saved.")
    else:
        messages.error(request, "Nothing was changed: one of the events does not exist.")
    return redirect("alerts", member.organization.id)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def rotate_webhook(request: HttpRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_object_or_404(_endpoints(member), id=endpoint_id)
    try:
        secret = alert_actions.rotate_webhook(member=member, endpoint=endpoint)
    except WebhookEndpoint.DoesNotExist:
        raise Http404 from None
    return _page(request, member, secret_of=endpoint, secret=secret, rotated=True)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def remove_webhook(request: HttpRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_object_or_404(_endpoints(member), id=endpoint_id)
    alert_actions.remove_webhook(member=member, endpoint=endpoint)
    messages.success(request, f"The webhook to {endpoint.host} is removed.")
    return redirect("alerts", member.organization.id)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def test_webhook(request: HttpRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_object_or_404(_endpoints(member), id=endpoint_id)
    if endpoints.send_test(endpoint):
        messages.success(request, "Test event sent. Reload in a few seconds to see the result.")
    else:
        messages.error(request, "A test event is already being sent.")
    return redirect("alerts", member.organization.id)


@member_view(Action.MANAGE_ALERTS)
@require_POST
def deliver_again(request: HttpRequest, member: Member, delivery_id: UUID) -> HttpResponse:
    delivery = get_object_or_404(Delivery, organization=member.organization, id=delivery_id)
    if outbox.deliver_again(delivery):
        messages.success(request, "It will be resent within a few seconds.")
    else:
        messages.error(request, "It is already being sent.")
    return redirect("alerts", member.organization.id)


def _page(
    request: HttpRequest,
    member: Member,
    *,
    form: AlertsForm | None = None,
    webhook_form: WebhookForm | None = None,
    secret_of: WebhookEndpoint | None = None,
    secret: str = "",
    rotated: bool = False,
) -> HttpResponse:
    """The page, with the errors of the submitted form, or with a new secret."""
    now = rules.of(member.organization.id)
    sees_money = member.may(Action.SEE_BILLING)
    context = {
        "member": member,
        "section": "alerts",
        "thresholds": now.percents,
        "form": form or AlertsForm(initial=AlertsForm.of(now)),
        "budgets": budgets.status(organization_id=member.organization.id) if sees_money else [],
        "endpoints": [(endpoint, _events_form(endpoint)) for endpoint in _endpoints(member)],
        "kinds": KINDS,
        "webhook_form": webhook_form or WebhookForm(),
        "secret_of": secret_of,
        "secret": secret,
        "rotated": rotated,
        "deliveries": _deliveries(member, sees_money),
    }
    return render(request, "console/alerts.html", context, status=400 if form or webhook_form else 200)


def _events_form(endpoint: WebhookEndpoint) -> WebhookEventsForm:
    chosen = [kind for kind in endpoint.enabled_events if kind != EVERY]
    return WebhookEventsForm(initial={"enabled_events": chosen}, auto_id=f"{endpoint.id.hex}_%s")


def _endpoints(member: Member) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(organization=member.organization).order_by("created_at")


def _deliveries(member: Member, sees_money: bool) -> QuerySet[Delivery]:
    """The latest; those of the credit and of invoices only for who may see the organization's money."""
    found = Delivery.objects.filter(organization=member.organization).select_related("endpoint")
    if not sees_money:
        found = found.exclude(kind__in=MONEY).exclude(kind__startswith="invoice.")
    return found.order_by("-created_at")[:MOST_DELIVERIES]
