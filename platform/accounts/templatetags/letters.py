"""Filters for the templates of letters."""

from __future__ import annotations

from django import template

from accounts import names

register = template.Library()


@register.filter
def plain(name: object) -> str:
    """A name that somebody chose, on one line and with no link."""
    return names.plain(str(name))
