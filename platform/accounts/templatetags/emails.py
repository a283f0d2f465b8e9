"""Filters for the templates of e-mails."""

from __future__ import annotations

from django import template

from accounts import names

register = template.Library()


@register.filter
def plain(name: object) -> str:
    """A name that a person chose, on one line and without a link."""
    return names.plain(str(name))
