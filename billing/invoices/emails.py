"""E-mail about invoices. The words are in `billing/templates/billing`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from billing import links
from billing.invoices import details, rendering
from billing.models import CreditNote, Invoice


@transaction.atomic
def send_invoice(*, invoice_id: UUID, again: bool = False) -> bool:
    """Send an issued invoice, once; False where it was sent before, unless it is to go out `again`."""
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("organization").get(pk=invoice_id)
    if invoice.state == Invoice.State.DRAFT or (invoice.sent_at and not again):
        return False
    _send("invoice", f"Invoice {invoice.number}", invoice, document=invoice)
    invoice.sent_at = timezone.now()
    invoice.save(update_fields=["sent_at"])
    return True


def send_credit_note(note: CreditNote) -> None:
    _send("credit_note", f"Credit note {note.number}", note.invoice, document=note, note=note)


def send_reminder(invoice: Invoice, *, last: bool, suspension_at: datetime) -> None:
    """`last` says when requests will be refused."""
    subject = f"{'Last reminder' if last else 'Reminder'}: invoice {invoice.number} is overdue"
    _send("reminder", subject, invoice, document=invoice, last=last, suspension_at=suspension_at)


def send_suspension(invoice: Invoice) -> None:
    _send("suspension", f"Requests are suspended: invoice {invoice.number} is overdue", invoice, document=invoice)


def _send(template: str, subject: str, invoice: Invoice, *, document: Invoice | CreditNote, **words: Any) -> None:
    link = links.console(invoice.organization_id, "billing")
    body = render_to_string(f"billing/{template}.txt", {"invoice": invoice, "link": link, **words})
    message = EmailMessage(subject=subject, body=body, to=details.addressees(invoice.organization))
    message.attach(f"{document.number}.pdf", rendering.pdf(document), "application/pdf")
    message.send()
