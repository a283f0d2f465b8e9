"""Promotional credit is for a person once, however many accounts, addresses and organizations she has.

The database decides: of two claims at once, the second meets the unique row of the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import mailboxes
from accounts.models import User
from billing.models import PromotionalClaim, PromotionalNetworkDay


class ClaimedBefore(Exception):
    """One of these people, or one of their mailboxes, had it before."""


class NetworkBusy(Exception):
    """As many people of one network as may have had it today."""


def claim(*, offer: str, people: Iterable[User]) -> None:
    """Note that these people have an offer, in the transaction that gives it.

    Raises:
        ClaimedBefore: nothing was noted.
    """
    claimants = {claimant for person in people for claimant in claimants_of(person)}
    # In one order, so that of two claims at once one waits for the other, and never each for each.
    rows = [PromotionalClaim(offer=offer, claimant=claimant) for claimant in sorted(claimants)]
    try:
        with transaction.atomic():
            PromotionalClaim.objects.bulk_create(rows)
    except IntegrityError:
        raise ClaimedBefore from None


def has(*, offer: str, person: User) -> bool:
    """Whether this very person has an offer; of her mailboxes, `claim` finds out."""
    known = mailboxes.keyed_hash(f"person:{person.pk}")
    return PromotionalClaim.objects.filter(offer=offer, claimant=known).exists()


def extend(*, offer: str, person: User) -> None:
    """Record all mailboxes of a person who took an offer."""
    rows = [PromotionalClaim(offer=offer, claimant=claimant) for claimant in claimants_of(person)]
    PromotionalClaim.objects.bulk_create(rows, ignore_conflicts=True)


def claimants_of(person: User) -> list[bytes]:
    """The person, and each mailbox that she has proved to hold."""
    proved = User.objects.filter(pk=person.pk, emailaddress__verified=True)
    hashes = {
        mailboxes.hash_of(email) for email in (person.email, *proved.values_list("emailaddress__email", flat=True))
    }
    return sorted({mailboxes.keyed_hash(f"person:{person.pk}"), *hashes})


def count_network(*, address: str | None, most: int) -> None:
    """Count one more person of this network today; without an address there is none to count.

    Raises:
        NetworkBusy: there were as many before.
    """
    if address is None:
        return
    network, day = network_of(address), timezone.now().astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {PromotionalNetworkDay._meta.db_table} AS known (network, day, people) VALUES (%s, %s, 1)
            ON CONFLICT (network, day) DO UPDATE SET people = known.people + 1 WHERE known.people < %s
            RETURNING people
            """,  # noqa: S608  # the table's name is ours
            (network, day, most),
        )
        if cursor.fetchone() is None:
            raise NetworkBusy


def network_of(address: str) -> str:
    """What one customer of a provider usually has: a /48 of IPv6; of IPv4, the /24 around."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def forget_networks(*, before: datetime) -> int:
    """Delete the counts of past days, which need not be kept."""
    return PromotionalNetworkDay.objects.filter(day__lt=before.date()).delete()[0]
