"""Payments: top-ups on Stripe's page, promotion codes, and invoice documents."""

from __future__ import annotations

from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from billing import promotions
from billing.invoices import rendering, selectors
from billing.stripe import checkout, client
from console.access import Member, member_view
from console.billing_forms import PromotionForm, TopUpForm
from console.views import billing

DOCUMENTS = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "json": "application/json"}


@member_view(Action.PAY)
@require_POST
def top_up(request: HttpRequest, member: Member) -> HttpResponse:
    """Redirect to Stripe's payment page. The credit is added when Stripe confirms, not on the way back."""
    if not client.is_configured():
        raise Http404
    form = TopUpForm(request.POST)
    if not form.is_valid():
        return billing.page(request, member, top_up=form)
    back = request.build_absolute_uri(reverse("billing", args=(member.organization.id,)))
    try:
        page = checkout.top_up(
            organization=member.organization,
            amount=form.cleaned_data["amount"],
            save_card=form.cleaned_data["save_card"],
            success_url=f"{back}?paid=1",
            cancel_url=back,
        )
    except checkout.StripeUnavailable:
        messages.error(request, "The payment page could not be opened. You were not charged. Please try again.")
        return redirect("billing", member.organization.id)
    return redirect(page)


@member_view(Action.PAY)
@require_POST
def redeem(request: HttpRequest, member: Member) -> HttpResponse:
    form = PromotionForm(request.POST)
    if form.is_valid() and not _may_try(request, member):
        form.add_error("code", "Too many attempts. Try again in an hour.")
    elif form.is_valid():
        try:
            promotions.redeem(organization=member.organization, code=form.cleaned_data["code"], by=member.user)
        except promotions.AlreadyRedeemed:
            form.add_error("code", "This code was already redeemed. Each person and organization can use it once.")
        except promotions.NotRedeemable:
            form.add_error("code", "This code does not exist or has expired.")
        else:
            messages.success(request, "Credit added.")
            return redirect("billing", member.organization.id)
    return billing.page(request, member, promotion=form)


def _may_try(request: HttpRequest, member: Member) -> bool:
    """Codes could be guessed, so each person and organization has five attempts an hour."""
    tries = (f"person:{member.user.pk}", f"organization:{member.organization.id}")
    return all(ratelimit.consume(request, action="promotion", key=key) for key in tries)


@member_view(Action.SEE_BILLING)
@require_safe
def invoice(request: HttpRequest, member: Member, invoice_id: UUID, kind: str) -> HttpResponse:
    """An issued invoice as a document."""
    found = get_object_or_404(selectors.issued(member.organization), pk=invoice_id)
    make = {"pdf": rendering.pdf, "csv": rendering.as_csv, "json": rendering.as_json}.get(kind)
    if make is None:
        raise Http404
    headers = {"content-disposition": f'attachment; filename="{found.number}.{kind}"'}
    return HttpResponse(make(found), content_type=DOCUMENTS[kind], headers=headers)
