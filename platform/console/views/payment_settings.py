"""Payment settings: the saved card, automatic recharge, and billing details."""

from __future__ import annotations

from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from billing.invoices import details
from billing.models import AutoRecharge, StripeCustomer
from billing.stripe import checkout, client, recharge
from console.access import Member, member_view
from console.billing_forms import DetailsForm, RechargeForm
from console.middleware import with_checkout


@member_view(Action.PAY)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return _page(request, member)


@member_view(Action.PAY)
@require_POST
def save_card(request: HttpRequest, member: Member) -> HttpResponse:
    """Redirect to Stripe's page for saving a card."""
    if not client.is_configured():
        raise Http404
    back = request.build_absolute_uri(_address(member))
    try:
        page = checkout.save_card(
            organization=member.organization, request_id=uuid4().hex, success_url=back, cancel_url=back
        )
    except checkout.StripeUnavailable:
        messages.error(request, "The page could not be opened. Please try again.")
        return redirect(_address(member))
    return redirect(page)


@member_view(Action.PAY)
@require_POST
def put_recharge(request: HttpRequest, member: Member) -> HttpResponse:
    if not client.is_configured():
        raise Http404
    form = RechargeForm(request.POST)
    if form.is_valid():
        try:
            recharge.put(organization=member.organization, **form.cleaned_data)
        except recharge.NoCard:
            form.add_error(None, "Save a card first.")
        except ValueError as refusal:
            field, _, words = str(refusal).partition(": ")
            form.add_error(field if field in form.fields else None, words)
        else:
            messages.success(request, "Automatic recharge is on.")
            return redirect(_address(member))
    return _page(request, member, recharge_form=form)


@member_view(Action.PAY)
@require_POST
def stop_recharge(request: HttpRequest, member: Member) -> HttpResponse:
    if recharge.stop(organization=member.organization, because="turned off"):
        messages.success(request, "Automatic recharge is off.")
    return redirect(_address(member))


@member_view(Action.PAY)
@require_POST
def put_details(request: HttpRequest, member: Member) -> HttpResponse:
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            details.put(organization=member.organization, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, "Saved. Your next invoices will show it.")
            return redirect(_address(member))
    return _page(request, member, details_form=form)


def _address(member: Member) -> str:
    return reverse("payment", args=(member.organization.id,))


def _page(
    request: HttpRequest,
    member: Member,
    *,
    recharge_form: RechargeForm | None = None,
    details_form: DetailsForm | None = None,
) -> HttpResponse:
    order = AutoRecharge.objects.filter(organization=member.organization).first()
    wanted = {name: getattr(order, name).normalize() for name in RechargeForm.base_fields} if order else {}
    known = details.of(member.organization)
    context = {
        "member": member,
        "section": "billing",
        "has_stripe": client.is_configured(),
        "card": StripeCustomer.objects.filter(organization=member.organization).exclude(payment_method="").first(),
        "order": order,
        "recharge_form": recharge_form or RechargeForm(initial={n: f"{value:f}" for n, value in wanted.items()}),
        "details_form": details_form or DetailsForm(initial=DetailsForm.of(known)),
    }
    response = render(
        request, "console/payment.html", context, status=400 if recharge_form or details_form else 200
    )
    return with_checkout(response)
