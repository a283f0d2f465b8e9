"""`manage.py ledger grant|top-up|pay-out|refund|adjust|verify`: credit moved by hand, and the proof."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import id_argument
from accounts.models import Organization
from billing import ledger, seals, verification
from billing.booking import CauseTaken
from billing.ledger import Operator
from billing.models import Account, LedgerTransaction
from billing.pricing import parse_dollars, show
from billing.reservations import InsufficientCredit

MOVEMENTS = {
    "grant": "Give promotional credit.",
    "top-up": "Book money received as paid credit.",
    "pay-out": "Return unused paid credit as money.",
    "refund": "Give back what was billed, as paid credit.",
    "adjust": "Correct a ledger transaction by an amount above or below zero.",
}


class Command(BaseCommand):
    help = "Move credit by hand, with a reason and an actor for the audit log; or prove the books."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, text in MOVEMENTS.items():
            command = commands.add_parser(name, help=text)
            of_what = "transaction" if name == "adjust" else "organization"
            command.add_argument(
                "subject", metavar=of_what.upper(), type=id_argument, help=f"the id of the {of_what}"
            )
            command.add_argument("amount", metavar="DOLLARS", type=parse_dollars)
            command.add_argument("--cause", required=True, help="a name for this movement; a repeat is a no-op")
            command.add_argument("--reason", required=True)
            command.add_argument("--actor", required=True, help="who does this")
            if name == "grant":
                command.add_argument("--expires", type=_midnight, metavar="YYYY-MM-DD", help="at midnight UTC")
        verify = commands.add_parser("verify", help="Prove the books; exit with 1 where they are wrong.")
        how = verify.add_mutually_exclusive_group()
        how.add_argument("--full", action="store_true", help="read the rows of sealed months again, too")
        how.add_argument("--month", type=_month, metavar="YYYY-MM", help="read that sealed month's rows again")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["command"] == "verify":
            self._verify(full=options["full"], month=options["month"])
            return
        try:
            movement = _move(options)
        except ObjectDoesNotExist as error:
            raise CommandError(f"{options['subject']}: {error}") from None
        except (InsufficientCredit, CauseTaken, ValueError) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from None
        self.stdout.write(_told(movement))

    def _verify(self, *, full: bool, month: date | None) -> None:
        if month is not None and month not in seals.sealed_months():
            raise CommandError(f"--month: {month:%Y-%m} is not sealed; its rows are proved without the option")
        report = verification.verify(full=full, month=month)
        for finding in report.findings:
            self.stdout.write(f"{'WRONG' if finding.count else 'ok':5}  {finding.name}: {finding.holds}")
            if finding.count:
                self.stdout.write(f"       {finding.count} offenders, drift ${show(finding.drift)}; the first:")
                for offender in finding.first:
                    self.stdout.write(f"         {offender}")
        self.stdout.write(f"drift ${show(report.drift)}, {report.late_settlements} late settlements")
        if not report.clean:
            sys.exit(1)


def _move(options: dict[str, Any]) -> LedgerTransaction:
    """Book what an operator asks for."""
    amount, cause = options["amount"], options["cause"]
    operator = Operator(actor=options["actor"], reason=options["reason"])
    if options["command"] == "adjust":
        return ledger.adjust(corrects=options["subject"], amount=amount, cause=cause, operator=operator)
    organization = Organization.objects.get(pk=options["subject"])
    if options["command"] == "grant":
        return ledger.grant(
            organization=organization,
            amount=amount,
            cause=cause,
            expires_at=options["expires"],
            operator=operator,
        )
    book = {"top-up": ledger.top_up, "pay-out": ledger.pay_out, "refund": ledger.refund}[options["command"]]
    return book(organization=organization, amount=amount, cause=cause, operator=operator)


def _told(movement: LedgerTransaction) -> str:
    """What was booked, for whom, and what they can spend now."""
    organization = movement.organization
    account = Account.objects.get(organization=organization)
    available = account.balance + account.credit_limit - account.held
    return (
        f"Booked: {movement.kind} for {organization.name} (org_{organization.pk.hex}). "
        f"Available now: ${show(available)}. Transaction: {movement.pk}"
    )


def _month(text: str) -> date:
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()


def _midnight(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
