"""GET /v1/usage: what the caller's organization used, as JSON or CSV."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.errors import ApiError, invalid
from gateway.parsing import parse
from gateway.rest import ManagementView
from usage import rollups, usage, usage_table
from usage.usage import COLUMNS, Query
from usage.usage_table import KeyNames

MAX_HOURS = timedelta(days=31)
MAX_DAYS = timedelta(days=366)


def _moment(value: object) -> datetime:
    """An ISO date is its midnight in UTC; a time without a zone is UTC."""
    try:
        day, moment = parse_date(str(value)), parse_datetime(str(value))
        if moment is not None:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # of the right shape, but no day of the calendar, or not in UTC
        day = moment = None
    if day is not None:
        return datetime.combine(day, time(), UTC)
    if moment is None:
        raise PydanticCustomError(
            "moment",
            "an ISO date such as 2026-11-01, or a date and time on a whole hour such as 2026-11-01T15:00:00Z",
        )
    # Buckets are hours of UTC, and a whole hour of a zone such as +05:45 is not one of them.
    if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
        raise PydanticCustomError(
            "split_hour",
            "a date and time that is on a whole hour in UTC, such as 2026-11-01T15:00:00Z: usage is summed up by "
            "hours of UTC",
        )
    return moment


_ISO = WithJsonSchema({"type": "string", "examples": ["2026-11-01", "2026-11-01T15:00:00Z"]})
Moment = Annotated[datetime, PlainValidator(_moment), _ISO]
Filter = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=100)]


class UsageQuery(BaseModel):
    """The query string of GET /v1/usage."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    start: Moment | None = None
    """Start of the range, included, in UTC: an ISO date, or a date and time on a whole hour. By default the first
    day of the month that `end` is in; for hours, 24 hours before `end`."""
    end: Moment | None = None
    """End of the range, excluded, in the same form. By default the end of the current day or hour."""
    bucket: usage.Bucket = "day"
    """Length of the time buckets; `total` is one bucket for the whole range. A range has at most 366 days, or 31
    days for hours."""
    group_by: Annotated[list[usage.Group], Field(max_length=len(COLUMNS))] = Field(default=[])
    """Split each bucket by these. Repeat the parameter, or separate values with commas."""
    key: Filter = Field(default=[])
    """Only these API keys, by id (`sk-…`)."""
    model: Filter = Field(default=[])
    """Only these models."""
    voice: Filter = Field(default=[])
    """Only these voices."""
    format: Literal["json", "csv"] = "json"
    """`csv` returns a file with one row per line of `data`."""


LISTS = frozenset({"group_by", "key", "model", "voice"})


def _parsed(query: QueryDict) -> UsageQuery:
    """The query string; lists as `name=a&name=b`, `name[]=a&name[]=b` or `name=a,b`.

    Raises:
        ApiError: 400 that names the parameter.
    """
    given: dict[str, Any] = {}
    for written, value in query.items():
        name = written.removesuffix("[]")
        if name in LISTS:
            values = [*query.getlist(name), *query.getlist(f"{name}[]")]
            given[name] = [part.strip() for each in values for part in each.split(",") if part.strip()]
        elif written in UsageQuery.model_fields:
            given[written] = value
        else:
            raise invalid(f"Unknown parameter: {written[:100]!r}.", param=written[:100], code="unknown_parameter")
    try:
        return parse(UsageQuery, given)
    except ApiError as error:
        if error.param is not None:  # a query string has no members: group_by, not group_by[0]
            error.message = error.message.replace(repr(error.param), repr(error.param.partition("[")[0]))
            error.param = error.param.partition("[")[0]
        raise


def _range(asked: UsageQuery) -> tuple[datetime, datetime]:
    """The range that was asked for, by default this month up to now, within what one answer can hold.

    Raises:
        ApiError: 400 for a range that is empty or too long.
    """
    hourly = asked.bucket == "hour"
    now = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    midnight = now.replace(hour=0)
    end = asked.end or (now if hourly else midnight + timedelta(days=1))
    start = asked.start or (end - timedelta(days=1) if hourly else min(end, midnight).replace(day=1, hour=0))
    if start >= end:
        raise invalid("Invalid value for 'end': it must be later than 'start'.", param="end")
    longest = MAX_HOURS if hourly else MAX_DAYS
    if end - start > longest:
        raise invalid(
            f"Invalid value for 'start': the range is longer than {longest.days} days, the most for this bucket.",
            param="start",
        )
    return start, end


class UsageView(ManagementView):
    """Sums over time buckets in UTC, up to the last answer."""

    def get(self, request: Request) -> HttpResponse:
        asked = _parsed(request.query_params)
        start, end = _range(asked)
        organization_id = self.principal(request).organization_id
        names = KeyNames(organization_id)
        query = Query(
            organization_id=organization_id,
            start=start,
            end=end,
            bucket=asked.bucket,
            group_by=tuple(dict.fromkeys(asked.group_by)),
            keys=_ids(names, asked.key),
            models=tuple(asked.model),
            voices=tuple(asked.voice),
        )
        rollups.refresh(organization_id=organization_id)
        lines = usage.report(query)
        if asked.format == "csv":
            return usage_table.as_csv(lines, query, names)
        return Response(
            {
                "object": "list",
                "start": usage_table.iso(query.start),
                "end": usage_table.iso(query.end),
                "bucket": query.bucket,
                "group_by": list(query.group_by),
                "data": [usage_table.as_json(line, query, names) for line in lines],
                "total": usage_table.sums(usage.total(lines)),
            }
        )


def _ids(names: KeyNames, wanted: list[str]) -> tuple[UUID, ...]:
    """The ids of the keys that are named sk-<public id>.

    Raises:
        ApiError: 400 for a name that is no key of this organization.
    """
    by_name = names.by_name
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise invalid(f"Invalid value for 'key': your organization has no key {unknown[0]!r}.", param="key")
    return tuple(by_name[name] for name in wanted)
