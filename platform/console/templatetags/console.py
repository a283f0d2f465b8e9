"""The filters and tags of the console's templates."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import UUID

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.permissions import Action
from billing import pricing
from console import announcements, formatting, onboarding
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
    """The duration of so many samples."""
    return formatting.minutes(samples * 1000 // SAMPLE_RATE)


@register.filter
def sentence(text: str) -> SafeString:
    """Sentence case, which our pages have, for allauth's Title Case; "Email" is spelled as ours, too."""
    lowered = re.sub(r"(?<=[a-z][ -])[A-Z](?=[a-z]+\b)", lambda found: found[0].lower(), text)
    return mark_safe(re.sub(r"\b([Ee])mail", r"\1-mail", lowered))  # noqa: S308  # a slot, escaped already


@register.filter
def code(text: str) -> SafeString:
    """A text with its `backticks` as code."""
    plain, *rest = text.split("`")
    pieces = [format_html("<code>{}</code>", each) if odd % 2 == 0 else each for odd, each in enumerate(rest)]
    return format_html_join("", "{}", ((each,) for each in (plain, *pieces)))


@register.filter
def price(dollars_per_minute: Decimal) -> str:
    """A price as the price book has it, without trailing zeros."""
    return f"{dollars_per_minute.normalize():f}"


@register.filter
def may(member: Member, action: str) -> bool:
    """Whether a member may do an `Action`, named in lower case: {% if member|may:"manage_keys" %}."""
    return member.may(Action[action.upper()])


@register.filter
def request_id(id: UUID) -> str:
    return f"req_{id.hex}"


@register.simple_tag
def emails_are_logged() -> bool:
    """Whether e-mails are printed in the log, because there is no mail server."""
    return bool(settings.EMAIL_BACKEND == LOG_BACKEND)


@register.simple_tag
def contact() -> str:
    """Where a customer writes to; empty where the operator named no address."""
    address: str = settings.COMPANY_EMAIL
    return address


@register.simple_tag
def free_credit() -> onboarding.FreeCredit:
    return onboarding.offer()


@register.inclusion_tag("console/parts/announcements.html", takes_context=True)
def announced(context: template.RequestContext) -> dict[str, object]:
    """The announcements that this browser has not dismissed: one query."""
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
