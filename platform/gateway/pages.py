"""Lists that are sent a page at a time, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from pydantic import BaseModel, ConfigDict, Field

from gateway.schemas import Name

MAX_LISTED = 100
Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)


class Page(BaseModel):
    """The query string of a list."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True)

    after: Name | None = None
    """Id of the last item of the page before."""
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] = 20
    """The most items on a page."""

    def newest(self, found: QuerySet[Row], find: Callable[[str], Row]) -> list[Row]:
        """The page's rows, and one more where there are more; the newest first.

        Args:
            find: the row that `after` names; it raises where there is none.
        """
        if self.after is not None:
            found = found.filter(id__lt=find(self.after).pk)
        return list(found.order_by("-id")[: self.limit + 1])

    def listed(self, found: Sequence[Item], as_json: Callable[[Item], dict[str, Any]]) -> dict[str, Any]:
        """The page as its answer. `found` has one item more than the page holds, where there are more."""
        data = [as_json(each) for each in found[: self.limit]]
        ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
        return {"object": "list", "data": data, **ends, "has_more": len(found) > self.limit}
