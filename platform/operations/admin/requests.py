"""Jobs and the request log."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from billing import audit
from billing.audit import Operator
from inference import doorbell, jobs
from inference.models import SynthesisJob
from operations import trace
from operations.admin.base import Looked, act
from operations.roles import Act
from usage.models import RequestLog

_State = SynthesisJob.State


class Live(admin.SimpleListFilter):
    """Only live jobs have an index by state."""

    title = "whether it lives"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("queued", "Waiting"), ("running", "Speaking")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SynthesisJob]) -> QuerySet[SynthesisJob]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(SynthesisJob)
class Jobs(Looked):
    """The text is not shown: it is the customer's, and gone when the job has ended."""

    list_display = ("id", "organization", "state", "attempt", "voice", "format", "created_at", "finished_at")
    list_display_links = ("id",)
    list_select_related = ("organization",)
    list_filter = (Live,)
    found_by = ("id", "fingerprint")
    ordering = ("-id",)
    exclude = ("text", "style")
    actions_detail = ("requeue", "cancel")
    change_form_before_template = "operations/trace.html"

    def beside(self, row: SynthesisJob) -> dict[str, Any]:
        return {"trace": trace.of(row)}

    @act("Requeue this job", Act.SERVE)
    def requeue(self, job: SynthesisJob, operator: Operator, asked: dict[str, Any]) -> str:
        if not jobs.requeue(job.id):
            raise ValueError("This job has ended, is cancelled, or its time is up.")
        audit.record(operator, what=f"job {job.id} requeued")
        transaction.on_commit(doorbell.ring, robust=True)  # a worker's sweep rings again where this fails
        return "The job waits for the next free worker."

    @act("Cancel this job", Act.SERVE)
    def cancel(self, job: SynthesisJob, operator: Operator, asked: dict[str, Any]) -> str:
        if not jobs.cancel(job.id):
            raise ValueError("This job has ended, or was cancelled before.")
        audit.record(operator, what=f"job {job.id} cancelled")
        return "The job is cancelled; what was spoken of it is billed."


@admin.register(RequestLog)
class Requests(Looked):
    list_display = ("created_at", "id", "route", "status", "error_code", "voice", "cost", "total_ms")
    list_display_links = ("created_at",)
    found_by = ("id", "organization_id")
    ordering = ("-id",)
