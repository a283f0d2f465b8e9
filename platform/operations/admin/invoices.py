"""Invoices and credit notes, with their documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from billing.audit import Operator
from billing.invoices import credit_notes, issuing, payments, rendering
from billing.models import CreditNote, Invoice
from operations.admin.base import Looked, ReasonForm, act
from operations.roles import Act


class NetForm(ReasonForm):
    net = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        label="Dollars, without tax",
        help_text="The tax on them is taken back, too.",
    )
    cause = forms.CharField(max_length=100, widget=forms.HiddenInput, initial=lambda: f"operator:{uuid4()}")
    field_order = ("net", "reason")


class Documented(Looked):
    """A row that is a document."""

    readonly_fields = ("document",)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.model._meta.model_name}_pdf"
        view = self.admin_site.admin_view(self._pdf)
        return [path("<uuid:object_id>/pdf/", view, name=name), *super().get_urls()]

    @admin.display(description="PDF")
    def document(self, row: Invoice | CreditNote) -> str:
        if not row.number:
            return "a draft has none"
        address = reverse(f"admin:{self.model._meta.model_name}_pdf", args=(row.pk,))
        return format_html('<a href="{}">{}.pdf</a>', address, row.number)

    def _pdf(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        row = self.model.objects.filter(pk=object_id).exclude(number=None).first()
        if row is None:
            raise Http404
        headers = {"content-disposition": f'attachment; filename="{row.number}.pdf"'}
        return HttpResponse(rendering.pdf(row), content_type="application/pdf", headers=headers)


@admin.register(Invoice)
class Invoices(Documented):
    list_display = ("number", "organization", "start", "state", "total", "paid", "credited", "due_at")
    list_display_links = ("number", "organization")
    list_select_related = ("organization",)
    list_filter = ("state",)
    found_by = ("number", "id", "organization")
    ordering = ("-id",)
    actions_detail = ("credit", "void", "write_off")

    @act("Issue a credit note", Act.MOVE_MONEY, NetForm)
    def credit(self, invoice: Invoice, operator: Operator, asked: dict[str, Any]) -> str:
        note = credit_notes.issue(
            invoice_id=invoice.pk,
            net=asked["net"],
            cause=asked["cause"],
            reason=operator.reason,
            operator=operator,
        )
        return f"Credit note {note.number} of ${note.total:.2f} is issued."

    @act("Void this invoice", Act.MOVE_MONEY)
    def void(self, invoice: Invoice, operator: Operator, asked: dict[str, Any]) -> str:
        issuing.void(invoice_id=invoice.pk, operator=operator)
        return f"Invoice {invoice.number} is void."

    @act("Write this invoice off", Act.MOVE_MONEY)
    def write_off(self, invoice: Invoice, operator: Operator, asked: dict[str, Any]) -> str:
        payments.write_off(invoice_id=invoice.pk, operator=operator)
        return f"Invoice {invoice.number} is written off."


@admin.register(CreditNote)
class CreditNotes(Documented):
    list_display = ("number", "invoice", "total", "issued_at", "reason")
    list_display_links = ("number",)
    list_select_related = ("invoice",)
    found_by = ("number", "id")
    ordering = ("-id",)
