"""The limit of what one operator can give alone, per act and per day. Above it, another must approve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from billing import audit
from billing.audit import Operator
from billing.models import Invoice
from operations import roles, stepping_up
from operations.models import MoneyAct
from operations.roles import Act

VALID = timedelta(days=3)
DAY = timedelta(days=1)
AMOUNTS = ("amount", "credit_limit", "net")
"""The form fields that hold amounts of money."""


@dataclass(frozen=True, slots=True)
class Performed:
    """The function of an act, to call when another operator has approved it."""

    perform: Callable[[Any, Any, Operator, dict[str, Any]], str]
    form: type[forms.Form]
    needs: Act


PERFORMS: dict[str, Performed] = {}


def hold(request: HttpRequest, *, by: str, row: Any, asked: forms.Form, needs: Act) -> str | None:
    """The message for an operator whose act must wait; None if it can be done now, which is counted.

    Called in the transaction of the act. The operator's row is the queue, so that two at once are summed up.
    """
    amount = _amount_of(row, asked.cleaned_data) if needs in stepping_up.MONEY else None
    if amount is None:
        return None
    user = User.objects.select_for_update().get(pk=cast(User, request.user).pk)
    now, ceiling = timezone.now(), settings.OPERATOR_CEILING_DOLLARS
    alone = MoneyAct.objects.filter(asked_by=user, held=False, asked_at__gt=now - DAY)
    held = (alone.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)) + amount > ceiling
    MoneyAct.objects.create(
        asked_by=user,
        act=by,
        row_model=row._meta.label,
        row_id=str(row.pk),
        form={name: asked.data.get(name) for name in asked.fields},
        reason=asked.cleaned_data["reason"],
        amount=amount,
        held=held,
        asked_at=now,
        expires_at=now + VALID,
        done_at=None if held else now,
    )
    if not held:
        return None
    audit.record(
        Operator(actor=user.email, reason=asked.cleaned_data["reason"]), what=f"asked for {by} of ${amount}"
    )
    return f"Above ${ceiling} in a day another operator must approve. Your request waits for three days."


def approve(waiting: MoneyAct, operator: Operator) -> str:
    """Perform an act that another operator requested; the audit log names both.

    Raises:
        ValueError: it is one's own, done, expired, or not allowed to this role; or the act itself refuses.
    """
    user, now = User.objects.get(email=operator.actor), timezone.now()
    found = PERFORMS[waiting.act]
    if waiting.asked_by_id == user.pk:
        raise ValueError("Another operator than the one who asked must approve.")
    if not roles.may(user, found.needs):
        raise ValueError(f"Your role does not allow you to {found.needs}.")
    open_ = MoneyAct.objects.filter(pk=waiting.pk, held=True, done_at=None, expires_at__gt=now)
    if not open_.update(done_at=now, approved_by=user):
        raise ValueError("This request is done, or it has expired.")
    if not roles.may(waiting.asked_by, found.needs):
        raise ValueError("Who asked for it is no longer allowed to.")
    form = found.form(waiting.form)
    if not form.is_valid():
        raise ValueError("What was asked for is no longer possible.")
    model = apps.get_model(waiting.row_model)
    page, row = admin.site._registry[model], model._default_manager.get(pk=waiting.row_id)
    done = found.perform(
        page, row, Operator(actor=waiting.asked_by.email, reason=waiting.reason), form.cleaned_data
    )
    audit.record(operator, what=f"approved {waiting}"[:200])
    return done


def _amount_of(row: Any, asked: dict[str, Any]) -> Decimal | None:
    """The amount that an act moves; None without one."""
    for name in AMOUNTS:
        if asked.get(name) is not None:
            return Decimal(asked[name])
    return row.total if isinstance(row, Invoice) else None
