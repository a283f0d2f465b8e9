"""Telling of an exception without quoting the customer."""

from __future__ import annotations

import traceback


def place_of(error: BaseException) -> str:
    """An exception's frames and type without its message, which may hold what the customer said.

    (PostgreSQL's, for one, quotes the row that it refused.)
    """
    return "".join([*traceback.format_tb(error.__traceback__), type(error).__qualname__])
