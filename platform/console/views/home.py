"""The pages outside of an organization: the home page, entering the console, invitations."""

from __future__ import annotations

from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from allauth.core.ratelimit import respond_429
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import invitations, organizations
from accounts.models import Invitation, Membership
from accounts.organizations import Refused
from billing import pricing
from console import samples, voices_on_offer
from console.access import LAST_ORGANIZATION, actor_of
from console.forms import OrganizationForm
from gateway.catalog import MODELS
from inference.speech.formats import CONTENT_TYPES
from inference.speech.voices import VOICES


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """The product, its price, and the first request, ready to paste."""
    offers = [
        (model, price.dollars_per_minute.normalize())
        for model in MODELS
        if (price := pricing.price_at(model=model, at=timezone.now()))
    ]
    offer = voices_on_offer.offer()
    context = {
        "samples": samples.for_key(samples.base_url(), None),
        "offers": offers,
        "voices": offer.voices,
        # There are samples of the small models; the full one would sound different.
        "heard": VOICES if offer.small else (),
        "small": offer.small,
        "formats": CONTENT_TYPES,
    }
    return render(request, "console/home.html", context)


@login_required
@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """Redirect to the organization that was viewed last; without one, show the invitations."""
    ids = list(
        Membership.objects.filter(user=actor_of(request).user)
        .order_by("created_at")
        .values_list("organization_id", flat=True)
    )
    invited = invitations.for_addresses(_proved_addresses(request))
    if invited or not ids:
        return render(
            request, "console/welcome.html", {"invited": invited, "ids": ids, "form": OrganizationForm()}
        )
    last = request.session.get(LAST_ORGANIZATION)
    return redirect("overview", next((id for id in ids if id.hex == last), ids[0]))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_organization(request: HttpRequest) -> HttpResponse:
    """Create another organization; the free credit is only for the first."""
    form = OrganizationForm(request.POST or None)
    if form.is_valid():
        owner = actor_of(request).user
        try:
            made = organizations.create(name=form.cleaned_data["name"], owner_email=owner.email, limited=True)
        except Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("overview", made.id)
    return render(request, "console/organization_new.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an invitation's link: accept it, or sign in or up first."""
    found = invitations.find(token)
    if found is None and not ratelimit.consume(
        request, app="allauth.account", action="invitation", limit_get=True
    ):
        refusal: HttpResponse = respond_429(request)
        return refusal
    mine = found is not None and request.user.is_authenticated and found.email in _proved_addresses(request)
    context = {"invitation": found, "mine": mine}
    return render(request, "console/invitation.html", context, status=200 if found else 410)


@login_required
@require_POST
def accept(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Join with a confirmed address that was invited."""
    found = Invitation.objects.filter(id=invitation_id, email__in=_proved_addresses(request)).first()
    if found is None:
        raise Http404
    try:
        invitations.accept(invitation=found, by=actor_of(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("console")
    return redirect("overview", found.organization_id)


def _proved_addresses(request: HttpRequest) -> list[str]:
    """The confirmed addresses of the signed-in person, in lower case."""
    own = EmailAddress.objects.filter(user=actor_of(request).user, verified=True)
    return [email.lower() for email in own.values_list("email", flat=True)]
