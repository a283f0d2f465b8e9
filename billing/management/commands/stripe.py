"""`manage.py stripe replay|retry|reconcile|refund|catch-up`: what a person does about Stripe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from stripe import StripeError

from billing.audit import Operator
from billing.booking import CauseTaken
from billing.models import StripePayment
from billing.pricing import parse_dollars
from billing.reservations import InsufficientCredit
from billing.stripe import client, reconciliation, refunds, sending, webhooks


class Command(BaseCommand):
    help = "Replay an event, retry a call, compare the books, or pay credit back to a card."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        replay = commands.add_parser("replay", help="Process an event again; one that never came is fetched.")
        replay.add_argument("event", metavar="evt_…")
        retry = commands.add_parser("retry", help="Make a dead call due again.")
        retry.add_argument("call", type=UUID, help="the call's id")
        catch_up = commands.add_parser("catch-up", help="Fetch and process the events that never arrived.")
        catch_up.add_argument("--days", type=int, default=7, help="how far back, 30 at most")
        reconcile = commands.add_parser("reconcile", help="Compare Stripe's books with ours.")
        reconcile.add_argument("--since", type=_midnight, metavar="YYYY-MM-DD", help="eight days ago by default")
        refund = commands.add_parser("refund", help="Pay unused credit back to the card it came from.")
        refund.add_argument("payment", type=UUID, help="the payment's id")
        refund.add_argument("amount", metavar="DOLLARS", type=parse_dollars)
        refund.add_argument("--cause", required=True, help="a name for this refund; a repeat is a no-op")
        refund.add_argument("--reason", required=True)
        refund.add_argument("--actor", required=True, help="who does this")

    def handle(self, *args: Any, **options: Any) -> None:
        if not client.is_configured():
            raise CommandError("STRIPE_SECRET_KEY: it is not set, so there is no Stripe")
        try:
            getattr(self, f"_{options['command'].replace('-', '_')}")(options)
        except StripeError as error:
            raise CommandError(f"Stripe: {type(error).__name__} {error.code or ''}") from None

    def _replay(self, options: dict[str, Any]) -> None:
        event = webhooks.replay(options["event"])
        self.stdout.write(str(event))
        if event.error:
            raise CommandError(event.error)

    def _retry(self, options: dict[str, Any]) -> None:
        if not sending.retry(options["call"]):
            raise CommandError("call: there is no dead one of that id")
        sending.send_due()

    def _catch_up(self, options: dict[str, Any]) -> None:
        new = webhooks.catch_up(since=timezone.now() - timedelta(days=options["days"]))
        webhooks.process_due()
        self.stdout.write(f"{new} events had not arrived")

    def _reconcile(self, options: dict[str, Any]) -> None:
        differences = reconciliation.run(since=options["since"])
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} difference{'s' * (len(differences) > 1)} open")

    def _refund(self, options: dict[str, Any]) -> None:
        payment = StripePayment.objects.filter(id=options["payment"]).first()
        if payment is None:
            raise CommandError(f"payment: there is none with id {options['payment']}")
        operator = Operator(actor=options["actor"], reason=options["reason"])
        try:
            refund = refunds.request(
                payment=payment, amount=options["amount"], cause=options["cause"], operator=operator
            )
        except (InsufficientCredit, CauseTaken, ValueError) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from None
        sending.send_due()
        refund.refresh_from_db()
        self.stdout.write(str(refund))


def _midnight(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
