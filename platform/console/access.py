"""Who looks at an organization's pages, and whether they may: the one door of the console.

What an organization has is looked up by the `Member` that the door hands on, so that another's id finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from accounts import permissions
from accounts.audit import Actor
from accounts.models import Membership, Organization, User
from accounts.permissions import Action

P = ParamSpec("P")
LAST_ORGANIZATION = "organization"
"""The session's key for the organization that was looked at last."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person in the organization whose pages are looked at."""

    membership: Membership
    organizations: tuple[Organization, ...]
    """All that the person belongs to, to switch between."""
    actor: Actor

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @property
    def user(self) -> User:
        return self.actor.user

    def may(self, action: Action) -> bool:
        return permissions.may(self.membership.role, action)


View = Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]


def member_view(needs: Action) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """A view of `organization`'s pages for those of its members whose role allows an action.

    Strangers get a 404, as for an organization that does not exist; a member who may not gets a 403 that says who
    may.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, organization: UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
            member = find_member(request, organization)
            if not member.may(needs):
                roles = ", ".join(permissions.roles_that_may(needs))
                raise PermissionDenied(f"To {needs}, one of these roles is needed: {roles}.")
            response = view(request, member, *args, **kwargs)
            response.headers.setdefault("cache-control", "private, no-store")
            return response

        return guarded

    return decorate


def find_member(request: HttpRequest, organization_id: UUID) -> Member:
    """The signed-in person's membership. Raises Http404 where there is none."""
    actor = actor_of(request)
    memberships = list(
        Membership.objects.filter(user=actor.user).select_related("organization").order_by("organization__name")
    )
    own = next((each for each in memberships if each.organization_id == organization_id), None)
    if own is None:
        raise Http404
    if request.session.get(LAST_ORGANIZATION) != organization_id.hex:
        request.session[LAST_ORGANIZATION] = organization_id.hex
    return Member(own, tuple(each.organization for each in memberships), actor)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person, as the audit log names them."""
    return Actor(user=cast(User, request.user), address=request.META.get("REMOTE_ADDR") or None)
