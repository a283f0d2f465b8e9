"""`manage.py invoice close|list|show|finalize|send|pay|credit|void|…`: months closed, invoices seen and moved.

What changes something names its actor and its reason, for the audit log.
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.identifiers import id_argument
from accounts.models import Organization
from billing import audit
from billing.audit import Operator
from billing.booking import CauseTaken
from billing.invoices import (
    closing,
    credit_notes,
    dunning,
    emails,
    issuing,
    payments,
    rendering,
    statements,
)
from billing.invoices.months import Month
from billing.models import Invoice, LedgerTransaction
from billing.pricing import parse_dollars

ACTS = {
    "finalize": "Issue a draft: tax, number, date.",
    "send": "Send an issued invoice, again where it was sent.",
    "pay": "Book money received for an invoice.",
    "take-back": "Book that a payment went back to the payer.",
    "credit": "Issue and send a credit note over a net amount.",
    "void": "Withdraw an invoice of which nothing was paid.",
    "bill-again": "Draft a new invoice for the month of a voided one.",
    "write-off": "Give up what is left to pay.",
    "resume": "End the suspension of an organization that still owes.",
}
WITH_AMOUNT = ("pay", "credit")
WITH_CAUSE = (*WITH_AMOUNT, "take-back")
SUBJECTS = {"take-back": "TRANSACTION", "resume": "ORGANIZATION"}


class Command(BaseCommand):
    help = "Close months, and move invoices from draft to paid."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        close = commands.add_parser("close", help="Draft the invoices of the months up to one.")
        close.add_argument("month", type=Month.parse, metavar="YYYY-MM")
        close.add_argument("--organization", type=id_argument, help="its alone; else everybody's")
        for name, text in ACTS.items():
            act = commands.add_parser(name, help=text)
            act.add_argument("subject", metavar=SUBJECTS.get(name, "INVOICE"), help="its number or id")
            if name in WITH_AMOUNT:
                act.add_argument("amount", metavar="DOLLARS", type=parse_dollars)
            if name in WITH_CAUSE:
                act.add_argument("--cause", required=True, help="a name for this movement; a repeat is a no-op")
        for command in commands.choices.values():
            command.add_argument("--reason", required=True)
            command.add_argument("--actor", required=True, help="who does this")
        listing = commands.add_parser("list", help="An organization's invoices, drafts too.")
        listing.add_argument("organization", type=id_argument)
        show = commands.add_parser("show", help="An issued invoice as a document.")
        show.add_argument("subject", metavar="INVOICE")
        show.add_argument("--format", choices=("json", "csv", "pdf"), default="json")
        show.add_argument("--output", type=Path, help="a file; standard output where it is missing")
        statement = commands.add_parser("statement", help="Every request of some days.")
        statement.add_argument("organization", type=id_argument)
        statement.add_argument("--from", dest="start", type=_day, required=True, metavar="YYYY-MM-DD")
        statement.add_argument("--to", dest="end", type=_day, required=True, metavar="YYYY-MM-DD")
        statement.add_argument("--format", choices=("csv", "jsonl"), default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        command = options["command"].replace("-", "_")
        run: Callable[[dict[str, Any]], None] = getattr(self, f"_{command}", self._act)
        try:
            run(options)
        except ObjectDoesNotExist as error:
            raise CommandError(str(error)) from None
        except (ValueError, CauseTaken) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from None

    def _list(self, options: dict[str, Any]) -> None:
        invoices = Invoice.objects.filter(organization=options["organization"])
        for invoice in invoices.order_by("start", "created_at"):
            self.stdout.write(f"{invoice.pk}  {invoice}")

    def _show(self, options: dict[str, Any]) -> None:
        invoice = _invoice(options["subject"])
        match options["format"]:
            case "pdf":
                content = rendering.pdf(invoice)
            case "csv":
                content = rendering.as_csv(invoice).encode()
            case _:
                content = rendering.as_json(invoice).encode()
        if options["output"]:
            options["output"].write_bytes(content)
        elif options["format"] == "pdf":
            sys.stdout.buffer.write(content)
        else:
            self.stdout.write(content.decode())

    def _statement(self, options: dict[str, Any]) -> None:
        organization = Organization.objects.get(pk=options["organization"])
        span = {"start": options["start"], "end": options["end"]}
        write = statements.as_csv if options["format"] == "csv" else statements.as_json_lines
        for line in write(organization=organization, **span):
            self.stdout.write(line, ending="")

    def _close(self, options: dict[str, Any]) -> None:
        month = options["month"]
        organizations = Organization.objects.filter(
            pk__in=[options["organization"]] if options["organization"] else closing.unclosed(before=month.end)
        )
        if options["organization"] and not organizations:
            raise Organization.DoesNotExist(f"organization: there is none with id {options['organization']}")
        for organization in organizations:
            for draft in closing.close(organization=organization, through=month):
                audit.record(_operator(options), what=f"invoice {draft.pk}: {draft.start:%Y-%m} closed")
                self.stdout.write(f"{draft.pk}  {draft}")

    @transaction.atomic
    def _act(self, options: dict[str, Any]) -> None:
        command, operator = options["command"], _operator(options)
        if command == "resume":
            organization = Organization.objects.get(pk=_uuid(options["subject"]))
            if not dunning.lift_by_hand(organization=organization, operator=operator):
                raise ValueError(f"organization: {organization.pk} is not suspended")
            return
        if command == "take-back":
            payment = LedgerTransaction.objects.get(pk=_uuid(options["subject"]))
            movement = payments.take_back(payment=payment, cause=options["cause"], operator=operator)
            self.stdout.write(str(movement.pk))
            return
        invoice = _invoice(options["subject"])
        self.stdout.write(_move(command, invoice, options, operator))


def _move(command: str, invoice: Invoice, options: dict[str, Any], operator: Operator) -> str:
    """Do what an operator asks for with an invoice; what it came to."""
    match command:
        case "finalize":
            return str(issuing.finalize(invoice_id=invoice.pk, operator=operator))
        case "void":
            return str(issuing.void(invoice_id=invoice.pk, operator=operator))
        case "write-off":
            return str(payments.write_off(invoice_id=invoice.pk, operator=operator))
        case "pay":
            movement = payments.record(
                invoice_id=invoice.pk, amount=options["amount"], cause=options["cause"], operator=operator
            )
            return str(movement.pk)
        case "credit":
            note = credit_notes.issue(
                invoice_id=invoice.pk,
                net=options["amount"],
                cause=options["cause"],
                reason=options["reason"],
                operator=operator,
            )
            emails.send_credit_note(note)
            return str(note)
        case "bill-again":
            draft = closing.bill_again(voided=invoice)
            audit.record(operator, what=f"invoice {draft.pk}: billed again for {invoice.number}")
            return f"{draft.pk}  {draft}"
        case _:
            if not emails.send_invoice(invoice_id=invoice.pk, again=True):
                raise ValueError(f"invoice {invoice.pk}: a draft is not sent; finalize it first")
            audit.record(operator, what=f"invoice {invoice.number}: sent")
            return str(invoice)


def _operator(options: dict[str, Any]) -> Operator:
    return Operator(actor=options["actor"], reason=options["reason"])


def _invoice(name: str) -> Invoice:
    invoice = Invoice.objects.filter(number=name).first()
    return invoice or Invoice.objects.get(pk=_uuid(name))


def _uuid(text: str) -> UUID:
    try:
        return id_argument(text)
    except ArgumentTypeError:
        raise ValueError(f"{text!r} is neither the number of an invoice nor an id") from None


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)
