"""Promotional credit is for a person once: however the address is written, and however many try at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import mailboxes, organizations
from accounts.models import Membership, Organization, User
from billing import once, promotions
from billing.models import Account, PromotionalClaim, PromotionalNetworkDay, PromotionCode
from console import onboarding
from tests.console.people import Office, browser, office, person
from tests.security.at_once import MANY, at_once


@pytest.fixture(autouse=True)
def _no_attempts_yet(django_db_blocker: Any, django_db_setup: None) -> None:
    with django_db_blocker.unblock():
        cache.clear()


@pytest.fixture
def offers(committed: None) -> Iterator[None]:
    """For tests whose rows stay: the counts of this machine's network do not."""
    yield
    PromotionalNetworkDay.objects.all().delete()


def sign_up(email: str, address: str = "203.0.113.7") -> tuple[Client, Decimal]:
    """Sign up by the forms and follow the letter's link; the credit that came of it."""
    client = Client(REMOTE_ADDR=address)
    form = {"email": email, "password1": "an analytical engine", "organization": "Engines"}
    client.post("/accounts/signup/", form)
    [letter] = [each for each in mail.outbox if each.to == [email.lower()]]
    found = re.search(r"http://[^/\s]+(/accounts/confirm-email/\S+)", str(letter.body))
    assert found
    assert balance(email) == 0, "nobody has proved yet to hold the mailbox"
    client.post(found[1])
    return client, balance(email)


def balance(email: str) -> Decimal:
    own = Organization.objects.get(memberships__user__email__iexact=email)
    return sum(Account.objects.filter(organization=own).values_list("balance", flat=True), Decimal(0))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("mallory@example.com", "mallory+1@example.com"),
        ("mallory+0@example.com", "Mallory+2@Example.com"),
        ("mallory@gmail.com", "m.al.lory+x@googlemail.com"),
        ("mallory@bücher.example", "mallory@xn--bcher-kva.example"),
    ],
)
def test_a_mailbox_has_it_once_however_it_is_written(first: str, second: str) -> None:
    if not first.isascii():  # the form takes such a domain in either form
        assert mailboxes.normalise(first) == mailboxes.normalise(second)
        return
    assert sign_up(first)[1] == 1
    client, credit = sign_up(second)
    assert credit == 0
    assert "You have already received the free credit" in client.get("/console", follow=True).content.decode()


@pytest.mark.django_db
def test_mailboxes_that_differ_stay_apart() -> None:
    addresses = ("a.b@example.com", "ab@example.com", "ab@gmail.com", "ab@example.org", "+x@example.com")
    assert len({mailboxes.hash_of(address) for address in addresses}) == len(addresses)
    assert mailboxes.normalise("A.B+c@GoogleMail.com.") == "ab@gmail.com"


@pytest.mark.django_db
def test_deleting_the_account_gives_no_second_one() -> None:
    assert sign_up("mallory@example.com")[1] == 1
    user = User.objects.get(email="mallory@example.com")
    user.emailaddress_set.all().delete()
    User.objects.filter(pk=user.pk).update(email=f"{uuid4().hex}@deleted.example")
    mail.outbox.clear()
    cache.clear()
    assert sign_up("mallory@example.com")[1] == 0
    claims = PromotionalClaim.objects.all()
    assert not any(b"mallory" in bytes(each.claimant) for each in claims)


@pytest.mark.django_db
def test_a_further_address_of_a_person_gives_nothing_and_is_hers() -> None:
    sign_up("mallory@example.com")
    user = User.objects.get(email="mallory@example.com")
    further = EmailAddress.objects.create(user=user, email="other@example.com", verified=True)
    onboarding._confirmed(None, further)
    assert balance("mallory@example.com") == 1
    further.delete()
    assert sign_up("other@example.com")[1] == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("addresses", "beyond"),
    [
        (["203.0.113.1", "203.0.113.200"], "198.51.100.1"),
        (["2001:db8:1:1::1", "2001:db8:1:ffff::1"], "2001:db8:2::1"),
    ],
)
def test_a_network_has_so_many_a_day(settings: Any, addresses: list[str], beyond: str) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"promo_credits_per_network": 1})
    assert sign_up("a@example.com", addresses[0])[1] == 1
    client, credit = sign_up("b@example.com", addresses[1])
    assert credit == 0
    assert "many people in your network received it today" in client.get("/console", follow=True).content.decode()
    assert sign_up("c@example.com", beyond)[1] == 1
    once.forget_networks(before=timezone.now())
    assert PromotionalNetworkDay.objects.exists(), "today's counts are needed"


def newcomer(email: str) -> Office:
    user = person(email)
    organization = organizations.create(name="Engines", owner_email=email)
    return Office(organization, user, None)  # type: ignore[arg-type]


def test_twenty_accounts_of_one_mailbox_at_once(offers: None) -> None:
    name = uuid4().hex
    offices = [newcomer(f"{name}+{number}@example.com") for number in range(MANY)]
    at_once(lambda number: onboarding.give_credit(None, offices[number].owner))
    ids = [each.organization.id for each in offices]
    assert list(Account.objects.filter(organization__in=ids, balance__gt=0).values_list("balance", flat=True)) == [
        1
    ]


def test_a_network_is_counted_exactly_at_once(offers: None) -> None:
    def count(_: int) -> bool:
        try:
            once.count_network(address="192.0.2.9", most=7)
        except once.NetworkBusy:
            return False
        return True

    assert sum(at_once(count)) == 7


@pytest.mark.django_db
def test_organizations_of_a_person_are_bounded_and_an_operator_lifts_it() -> None:
    user = person("mallory@example.com")
    client = browser(user)

    def make() -> int:
        return client.post("/console/organizations/new", {"name": "Further"}).status_code

    assert [make() for _ in range(6)] == [302] * 5 + [400]
    answer = client.post("/console/organizations/new", {"name": "Further"})
    assert "You own the maximum number of organizations" in answer.content.decode()
    call_command("set_limits", "Mallory@example.com", "--organizations", "6")
    assert [make() for _ in range(2)] == [302, 400]


@pytest.mark.django_db
def test_nobody_is_handed_more_than_a_person_may_own() -> None:
    acme = office("Acme")
    full = acme.join("full@acme.example", Membership.Role.ADMIN)
    for number in range(5):
        organizations.create(name=f"O{number}", owner_email=full.email)
    answer = browser(acme.owner).post(acme.path(f"members/{full.pk}/transfer"), follow=True)
    assert "already owns the maximum number of organizations" in answer.content.decode()


def test_twenty_organizations_at_once(committed: None) -> None:
    user = person(f"{uuid4().hex}@example.com")
    codes = at_once(lambda _: browser(user).post("/console/organizations/new", {"name": "At once"}).status_code)
    assert sorted(codes) == [302] * 5 + [400] * 15
    assert Membership.objects.filter(user=user).count() == 5


@pytest.mark.django_db
def test_a_code_is_redeemed_once_a_person_over_all_organizations() -> None:
    promotions.create(code="WELCOME", amount=Decimal(5), max_redemptions=100)
    acme, rival = office("Acme", credit="0"), office("Rival", credit="0")
    second = organizations.create(name="Second", owner_email=acme.owner.email)
    accomplice = rival.owner
    Membership.objects.create(organization=second, user=accomplice, role=Membership.Role.BILLING)

    def redeem(user: User, organization: Organization) -> str:
        path = f"/console/org_{organization.id.hex}/billing/redeem"
        return browser(user).post(path, {"code": "welcome"}, follow=True).content.decode()

    assert "Credit added" in redeem(acme.owner, acme.organization)
    assert "This code was already redeemed" in redeem(acme.owner, second)
    assert "This code was already redeemed" in redeem(accomplice, second), "the owner had it already"
    assert "Credit added" in redeem(accomplice, rival.organization)
    alias = newcomer(f"{acme.owner.email.replace('@', '+2@')}")
    assert "This code was already redeemed" in redeem(alias.owner, alias.organization)
    assert PromotionCode.objects.get().redemptions == 2


@pytest.mark.parametrize(("same_person", "most", "given"), [(True, 100, 1), (False, 7, 7)])
def test_twenty_redemptions_at_once(offers: None, same_person: bool, most: int, given: int) -> None:
    code = promotions.create(code=uuid4().hex[:12], amount=Decimal(5), max_redemptions=most)
    name = uuid4().hex
    emails = [f"{name}{'' if same_person else number}@example.com" for number in range(MANY)]
    owned = [organizations.create(name="O", owner_email=email) for email in emails]

    def redeem(number: int) -> bool:
        try:
            promotions.redeem(organization=owned[number], code=code.code)
        except (promotions.AlreadyRedeemed, promotions.NotRedeemable):
            return False
        return True

    assert sum(at_once(redeem)) == given
    code.refresh_from_db()
    assert code.redemptions == given
    assert Account.objects.filter(organization__in=owned, balance=5).count() == given
