"""Usage: minutes, cost, requests and latency over time, and the same as CSV."""

from __future__ import annotations

from typing import get_args

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from console import periods
from console.access import Member, member_view
from console.periods import BadPeriod
from console.usage_report import UsageReport
from usage import usage_table
from usage.usage import Group


@member_view(Action.SEE_USAGE)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    problem = ""
    try:
        report = _report(request, member)
    except BadPeriod as error:
        problem = str(error)
        report = UsageReport(member.organization.id, periods.default())
    context = {
        "member": member,
        "section": "usage",
        "report": report,
        "problem": problem,
        "ranges": periods.NAMES.items(),
        "groups": get_args(Group),
        "before": periods.NAMES.get(report.period.name, "days"),
        "query": request.GET.urlencode(),
        "range_query": _without_group(request),
    }
    return render(request, "console/usage.html", context, status=400 if problem else 200)


@member_view(Action.SEE_USAGE)
@require_safe
def export(request: HttpRequest, member: Member) -> HttpResponse:
    """The lines behind the charts."""
    try:
        report = _report(request, member)
    except BadPeriod as error:
        raise BadRequest(str(error)) from None
    return usage_table.as_csv(report.lines, report.query, report.names)


def _report(request: HttpRequest, member: Member) -> UsageReport:
    group = next((each for each in get_args(Group) if each == request.GET.get("by")), None)
    return UsageReport(member.organization.id, periods.parse(request.GET), group)


def _without_group(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("by", None)
    return query.urlencode()
