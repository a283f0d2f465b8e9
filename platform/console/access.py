"""Access to an organization's pages. Every page of the console goes through it.

What an organization has is looked up by the `Member` that the door hands on, so that another's id finds nothing.
One of the operator's people on a visit gets in as a member who sees, and whom the door lets send nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts import permissions, visits
from accounts.audit import Actor
from accounts.models import Membership, Organization, User, Visit
from accounts.permissions import Action

P = ParamSpec("P")
LAST_ORGANIZATION = "organization"
"""The session's key for the organization that was viewed last."""
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the organization whose pages are shown, or an operator on a visit."""

    organization: Organization
    organizations: tuple[Organization, ...]
    """The person's organizations, to switch between."""
    actor: Actor
    role: str
    """Empty for a visitor."""
    visit: Visit | None = None

    @property
    def user(self) -> User:
        return self.actor.user

    def may(self, action: Action) -> bool:
        return action in permissions.VISITOR if self.visit else permissions.may(self.role, action)


View = Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]


def member_view(needs: Action) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """A view of an organization's page for members whose role allows an action.

    Strangers get a 404, as for an organization that does not exist; a member who may not gets a 403 that says who
    may. A visitor sees the forms that members see, and gets a 403 for sending one.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, organization: UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
            member = find_member(request, organization)
            response: HttpResponseBase
            if member.visit and (request.method not in SAFE or not member.may(needs)):
                response = _refuse_visitor(request, member, needs)
            elif not member.may(needs):
                roles = ", ".join(permissions.roles_that_may(needs))
                raise PermissionDenied(f"To {needs}, you need one of these roles: {roles}.")
            else:
                response = view(request, member, *args, **kwargs)
            response.headers.setdefault("cache-control", "private, no-store")
            return response

        return guarded

    return decorate


def find_member(request: HttpRequest, organization_id: UUID) -> Member:
    """The signed-in person as a member or visitor. Raises Http404 if they are neither."""
    actor = actor_of(request)
    memberships = list(
        Membership.objects.filter(user=actor.user).select_related("organization").order_by("organization__name")
    )
    own = next((each for each in memberships if each.organization_id == organization_id), None)
    organizations = tuple(each.organization for each in memberships)
    if own is None:
        visit = visits.current(operator=actor.user, organization_id=organization_id)
        if visit is None:
            raise Http404
        return Member(visit.organization, organizations, actor, role="", visit=visit)
    if request.session.get(LAST_ORGANIZATION) != organization_id.hex:
        request.session[LAST_ORGANIZATION] = organization_id.hex
    return Member(own.organization, organizations, actor, own.role)


def _refuse_visitor(request: HttpRequest, member: Member, needs: Action) -> HttpResponse:
    """A page that says what a visit does not allow, with a link back."""
    return render(request, "console/visit_refused.html", {"member": member, "needs": needs}, status=403)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person, for the audit log."""
    return Actor(user=cast(User, request.user), address=request.META.get("REMOTE_ADDR") or None)
