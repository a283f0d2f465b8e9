"""Reading many rows with a query for each page, so that no cursor and no connection is kept between the pages."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


def rows(found: QuerySet[Row], *, by: str, size: int) -> Generator[Row]:
    """The rows in the order of `by`, a column that never changes and whose index finds them, and of their keys.

    Args:
        size: the rows of a page, which are in memory at a time.
    """
    ordered = found.order_by(by, "pk")
    page = list(ordered[:size])
    while page:
        yield from page
        last = getattr(page[-1], by)
        after = Q(**{f"{by}__gt": last}) | Q(**{by: last}, pk__gt=page[-1].pk)
        page = list(ordered.filter(after)[:size]) if len(page) == size else []
