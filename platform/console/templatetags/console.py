"""The filters and tags of the console's templates."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django import template
from django.conf import settings

from accounts.permissions import Action
from billing import pricing
from console import announcements, formatting
from console.access import Member
from inference.audio import SAMPLE_RATE

LOG_BACKEND = "config.mail.LogBackend"
register = template.Library()
register.filter("dollars", formatting.dollars)
register.filter("funds", formatting.funds)
register.filter("small_cost", formatting.small_cost)
register.filter("minutes", formatting.minutes)
register.filter("latency", formatting.latency)
register.filter("count", formatting.count)
register.filter("bytes", formatting.bytes_)
register.filter("moment", formatting.moment)
register.filter("day", formatting.day)
register.filter("exact", pricing.show)


@register.filter
def audio(samples: int) -> str:
    """The length of so many samples."""
    return formatting.minutes(samples * 1000 // SAMPLE_RATE)


@register.filter
def price(dollars_per_minute: Decimal) -> str:
    """A price as the price book has it, without the zeros behind."""
    return f"{dollars_per_minute.normalize():f}"


@register.filter
def may(member: Member, action: str) -> bool:
    """Whether a member may do what `Action` calls so, in lower case: {% if member|may:"manage_keys" %}."""
    return member.may(Action[action.upper()])


@register.filter
def request_id(id: UUID) -> str:
    return f"req_{id.hex}"


@register.simple_tag
def letters_are_logged() -> bool:
    """Whether a newcomer finds the letter in the log, for there is no mail server."""
    return bool(settings.EMAIL_BACKEND == LOG_BACKEND)


@register.inclusion_tag("console/parts/announcements.html", takes_context=True)
def announced(context: template.RequestContext) -> dict[str, object]:
    """What the operator has to say and this browser has not put away: one query."""
    request = context.request
    away = announcements.dismissed(request)
    return {"announcements": announcements.current(without=away), "request": request}


@register.inclusion_tag("console/parts/icon.html")
def icon(name: str) -> dict[str, str]:
    return {"name": name}


@register.inclusion_tag("console/parts/copy.html")
def copy(text: str, label: str = "Copy") -> dict[str, str]:
    """A button that copies a text."""
    return {"text": text, "label": label}
