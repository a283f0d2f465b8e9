"""The accounting reports as a page and as CSV. Each states whether it agrees with the ledger."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget

from billing import plain
from billing.reports.catalogue import REPORTS
from billing.reports.report import Report


class Span(forms.Form):
    report = forms.ChoiceField(
        choices=[(name, kind.title) for name, kind in REPORTS.items()], widget=UnfoldAdminSelectWidget()
    )
    start = forms.DateField(label="From", required=False, widget=UnfoldAdminDateWidget())
    end = forms.DateField(label="Up to, and without", required=False, widget=UnfoldAdminDateWidget())

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        kind, start, end = REPORTS.get(asked.get("report", "")), asked.get("start"), asked.get("end")
        if kind and not kind.is_balance and not start:
            self.add_error("start", "Enter the first day.")
        if start and end and start >= end:
            self.add_error("end", "It must be later than the first day.")
        return asked


def page(request: HttpRequest) -> HttpResponse:
    asked = Span(request.GET or None)
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Reports", "form": asked}
    if asked.is_valid():
        report = _make(**asked.cleaned_data)
        if "csv" in request.GET:
            name = asked.cleaned_data["report"]
            headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
            return HttpResponse(report.csv(), content_type="text/csv; charset=utf-8", headers=headers)
        header = [field.name for field in fields(report.rows[0])] if report.rows else []
        rows = [[plain.as_text(getattr(row, name)) for name in header] for row in report.rows]
        context |= {"report": report, "header": header, "rows": rows}
    return TemplateResponse(request, "operations/reports.html", context)


def _make(report: str, start: date | None, end: date | None) -> Report[Any]:
    kind = REPORTS[report]
    until = _midnight(end) if end else timezone.now()
    if kind.is_balance:
        return kind.make(start=None, end=until)
    if start is None:
        raise ValueError("start: the form asks for it")
    return kind.make(start=_midnight(start), end=until)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
