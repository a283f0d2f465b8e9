"""Jobs and the request log."""

from __future__ import annotations

from datetime import UTC, timedelta
from functools import partial
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.identifiers import uuid7_floor
from accounts.models import Organization
from billing import audit
from billing.audit import Operator
from inference import cancellations, doorbell, jobs
from inference.models import SynthesisJob
from operations import trace
from operations.admin.base import Looked, act
from operations.roles import Act
from usage.models import RequestLog

RECENT_MINUTES = 60
_State = SynthesisJob.State


class Live(admin.SimpleListFilter):
    """Only jobs that have not ended have an index by state."""

    title = "state"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("queued", "Waiting"), ("running", "Running")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SynthesisJob]) -> QuerySet[SynthesisJob]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(SynthesisJob)
class Jobs(Looked):
    """Text and recordings are not shown: they belong to the customer, and are deleted when the job ends."""

    list_display = ("id", "organization", "state", "attempt", "voice", "format", "created_at", "finished_at")
    list_display_links = ("id",)
    list_select_related = ("organization",)
    list_filter = (Live,)
    search_help_text = "audio_, chatcmpl- or job id"
    found_by = ("id", "fingerprint")
    ordering = ("-id",)
    exclude = ("text", "style", "recordings", "recorded_texts")
    actions_detail = ("requeue", "cancel")
    change_form_before_template = "operations/trace.html"

    def beside(self, row: SynthesisJob) -> dict[str, Any]:
        return {"trace": trace.of(row)}

    @act("Requeue job", Act.SERVE, fits=lambda job: job.state in (_State.QUEUED, _State.RUNNING))
    def requeue(self, job: SynthesisJob, operator: Operator, asked: dict[str, Any]) -> str:
        if not jobs.requeue(job.id):
            raise ValueError("This job has ended, was cancelled, or has passed its deadline.")
        audit.record(operator, what=f"job {job.id} requeued")
        transaction.on_commit(doorbell.ring, robust=True)  # if this fails, a worker finds it at a heartbeat
        return "The job is queued for the next free worker."

    @act("Cancel job", Act.SERVE, fits=lambda job: job.state in (_State.QUEUED, _State.RUNNING))
    def cancel(self, job: SynthesisJob, operator: Operator, asked: dict[str, Any]) -> str:
        if not jobs.cancel(job.id):
            raise ValueError("This job has ended or was already cancelled.")
        audit.record(operator, what=f"job {job.id} cancelled")
        transaction.on_commit(partial(cancellations.announce_once, job.id), robust=True)
        return "The job is cancelled. The audio delivered so far is billed."


class Outcome(admin.SimpleListFilter):
    """No index has the status, so the filter reads the end of the primary key, which begins with the time."""

    title = f"result in the last {RECENT_MINUTES} minutes"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed"), ("server", "Server error"), ("succeeded", "Succeeded")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
        wanted = {"failed": Q(status__gte=400), "server": Q(status__gte=500), "succeeded": Q(status__lt=400)}
        outcome = wanted.get(self.value() or "")
        if outcome is None:
            return queryset
        since = timezone.now() - timedelta(minutes=RECENT_MINUTES)
        return queryset.filter(outcome, id__gte=uuid7_floor(since))


@admin.register(RequestLog)
class Requests(Looked):
    list_display = ("time", "shown_id", "customer", "route", "status", "error_code", "voice", "cost", "duration")
    list_display_links = ("time",)
    list_filter = (Outcome,)
    search_help_text = "req_ id or org_ id"
    found_by = ("id", "organization_id")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequestLog]:
        """With the customer's name."""
        named = Organization.objects.filter(pk=OuterRef("organization_id")).values("name")
        rows: QuerySet[RequestLog] = super().get_queryset(request)
        return rows.annotate(customer_name=Subquery(named))

    @admin.display(description="Time (UTC)", ordering="-id")
    def time(self, row: RequestLog) -> str:
        return f"{row.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Id")
    def shown_id(self, row: RequestLog) -> str:
        return f"req_{row.pk.hex}"

    @admin.display(description="Customer")
    def customer(self, row: Any) -> str:
        address = reverse("admin:accounts_organization_change", args=(row.organization_id,))
        return format_html('<a href="{}">{}</a>', address, row.customer_name or row.organization_id)

    @admin.display(description="Duration (ms)")
    def duration(self, row: RequestLog) -> int:
        return row.total_ms
