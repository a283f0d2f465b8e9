"""What each operator may do, in one table. Without a role, a person sees nothing."""

from __future__ import annotations

from enum import StrEnum

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser, Group
from django.db import transaction

from accounts.models import User


class Role(StrEnum):
    SUPPORT = "support"
    BILLING = "billing"
    OPERATIONS = "operations"


class Act(StrEnum):
    LOOK = "view everything"
    SERVE = "cancel and requeue jobs, revoke keys, and set limits"
    MOVE_MONEY = "give credit, refund, and correct invoices"
    AGREE = "set prices and credit limits"
    RUN = "retry failed exchanges with Stripe"
    SUSPEND = "suspend customers and end suspensions"
    VISIT = "view a customer's console"
    ANNOUNCE = "publish and end announcements"


ALLOWED: dict[Role, frozenset[Act]] = {
    Role.SUPPORT: frozenset({Act.LOOK, Act.SERVE, Act.VISIT, Act.ANNOUNCE}),
    Role.BILLING: frozenset({Act.LOOK, Act.MOVE_MONEY, Act.AGREE, Act.SUSPEND}),
    Role.OPERATIONS: frozenset({Act.LOOK, Act.SERVE, Act.RUN, Act.SUSPEND, Act.VISIT, Act.ANNOUNCE}),
}


_KNOWN = "_operator_acts"


def may(user: User | AnonymousUser, act: Act) -> bool:
    """Whether a person is an active operator with a second factor, in a role that allows the act."""
    return act in acts_of(user)


def may_visit(user: User) -> bool:
    return may(user, Act.VISIT)


def acts_of(user: User | AnonymousUser) -> frozenset[Act]:
    """The acts a person may do. Read once per request: a page of the admin asks dozens of times."""
    known: frozenset[Act] | None = user.__dict__.get(_KNOWN)
    if known is None:
        ours = user.is_active and user.is_staff and has_second_factor(user)
        known = frozenset().union(*(ALLOWED[role] for role in roles_of(user))) if ours else frozenset()
        user.__dict__[_KNOWN] = known
    return known


def roles_of(user: User | AnonymousUser) -> list[Role]:
    return [Role(name) for name in user.groups.filter(name__in=list(Role)).values_list("name", flat=True)]


def has_second_factor(user: User | AnonymousUser) -> bool:
    factors = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=factors).exists())


@transaction.atomic
def appoint(user: User, *given: Role) -> None:
    """Make a person an operator, in these roles and no others."""
    groups = [Group.objects.get_or_create(name=role)[0] for role in given]
    user.groups.remove(*Group.objects.filter(name__in=list(Role)).exclude(pk__in=[group.pk for group in groups]))
    user.groups.add(*groups)
    user.is_staff = True
    user.save(update_fields=["is_staff"])


@transaction.atomic
def dismiss(user: User) -> None:
    """Take all roles from a person. Their account as a customer is unchanged."""
    user.groups.remove(*Group.objects.filter(name__in=list(Role)))
    user.is_staff = False
    user.save(update_fields=["is_staff"])
