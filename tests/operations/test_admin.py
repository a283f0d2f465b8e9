"""The operator's admin: who gets in, and that no list breaks, however long it is or is searched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing import verification
from billing.models import (
    Invoice,
    LedgerTransaction,
)
from operations.roles import Role
from tests.billing.invoices import months_of_use
from tests.console.people import Office, browser, called, office, person, waiting_job
from tests.operations.operators import operator, page
from usage.models import RequestLog

pytestmark = pytest.mark.django_db

LIST_QUERIES, OVERVIEW_QUERIES = 6, 14
"""A list's: session, person, second factor, permissions, a count, and the rows with their customers."""


def lists() -> list[str]:
    models = admin.site._registry
    return [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in models]


def test_strangers_sign_in_and_customers_are_refused(acme: Office) -> None:
    for address in ("/admin/", *lists(), reverse("admin:reports")):
        assert Client().get(address, follow=True).redirect_chain[-1][0].startswith("/accounts/login/?next=")
        assert browser(acme.owner).get(address, follow=True).status_code == 403


def test_one_of_ours_without_a_second_factor_is_sent_to_set_it_up() -> None:
    answer = operator(factor=False).get("/admin/", follow=True)
    assert any("/accounts/2fa/totp/activate/" in address for address, _ in answer.redirect_chain)


def test_a_second_factor_alone_lets_nobody_in() -> None:
    assert operator(None).get("/admin/", follow=True).status_code == 403


def test_whom_we_dismiss_is_out_at_once() -> None:
    user = person("gone@speech.example")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    call_command("operator", "appoint", user.email, "--role", "billing")
    client = browser(user)
    assert client.get("/admin/").status_code == 200
    call_command("operator", "dismiss", user.email)
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("appoint", "nobody@x.example", "--role", "billing"), "email"), (("appoint", "known@x.example"), "--role")],
)
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...], said: str) -> None:
    person("known@x.example")
    with pytest.raises(CommandError, match=said):
        call_command("operator", *arguments)


@pytest.mark.parametrize("role", Role)
def test_every_list_and_every_row_can_be_looked_at(acme: Office, invoice: Invoice, role: Role) -> None:
    client = operator(role)
    verification.publish()
    for model, shown in admin.site._registry.items():
        meta = model._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        assert client.get(address).status_code == 200, address
        for row in model._default_manager.all()[:2]:
            assert client.get(page(row)).status_code == 200, row
        assert not shown.has_add_permission(None)
        assert client.get(address + "add/").status_code == 403
        assert client.get(address + "no-such-row/change/").status_code in (302, 404)


def test_every_list_can_be_searched_for_anything(acme: Office, invoice: Invoice) -> None:
    client = operator(Role.OPERATIONS)
    for address in lists():
        for odd in ("x", "' OR 1=1 --", "req_" + "0" * 32, "%", "\N{SNOWMAN}", "9" * 40):
            assert client.get(address, {"q": odd}).status_code in (200, 302), (address, odd)


def test_a_list_asks_as_often_however_long_it_is(invoice: Invoice) -> None:
    client = operator(Role.OPERATIONS)

    def queries() -> dict[str, int]:
        asked = {}
        for address in (*lists(), "/admin/"):
            client.get(address)  # what is kept of the first look does not count
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            asked[address] = len(captured)
        return asked

    def grow(number: int) -> None:
        rival = office(f"Rival {number}")
        called(rival)
        called(rival, status=429)
        organization = months_of_use.customer(name=f"Invoiced {number}", limit="100")
        months_of_use.use(organization, 60_000)
        months_of_use.issue(organization)

    grow(0)
    verification.publish()
    few = queries()
    for number in range(1, 6):
        grow(number)
    assert queries() == few
    assert few == {**dict.fromkeys(lists(), LIST_QUERIES), "/admin/": OVERVIEW_QUERIES}


def test_nothing_can_be_edited_or_deleted(acme: Office) -> None:
    client = operator(Role.BILLING)
    movement = LedgerTransaction.objects.first()
    for address in (page(acme.organization), page(movement)):
        assert client.post(address, {"name": "Changed"}).status_code == 403
        assert client.post(address.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403


def test_a_row_is_found_by_what_a_customer_quotes(acme: Office) -> None:
    client = operator(Role.SUPPORT)
    other = office("Other")
    quoted = {"q": f"org_{acme.organization.id.hex}"}
    found = client.get(reverse("admin:accounts_organization_changelist"), quoted)
    assert "Acme" in found.content.decode()
    assert "Other" not in found.content.decode()
    found = client.get(reverse("admin:accounts_apikey_changelist"), {"q": f"sk-{other.key.public_id}"})
    assert [key.pk for key in found.context["cl"].result_list] == [other.key.pk]


def test_no_secret_and_no_text_is_shown(acme: Office) -> None:
    client = operator(Role.OPERATIONS)
    hidden = (
        (acme.key, {"secret_hmac", "pepper_number"}),
        (acme.owner, {"password"}),
        (waiting_job(acme), {"text", "style", "recordings", "recorded_texts"}),
    )
    for row, columns in hidden:
        fields = client.get(page(row)).context["adminform"].fieldsets[0][1]["fields"]
        assert not columns & {*fields}


@pytest.mark.parametrize("term", ["acm", "ACME", "owner@acme", "org_{hex}", "{pk}"])
def test_a_customer_is_found_by_a_part_of_the_name_or_of_a_members_address(acme: Office, term: str) -> None:
    office("Other")
    acme.join("vera@acme.example", "viewer")
    id = acme.organization.pk
    asked = {"q": term.format(hex=id.hex, pk=id)}
    found = operator(Role.SUPPORT).get(reverse("admin:accounts_organization_changelist"), asked)
    assert [each.pk for each in found.context["cl"].result_list] == [id]
    assert f"org_{id.hex}" in found.content.decode()


def test_people_are_found_by_a_part_of_the_address(acme: Office) -> None:
    person("someone@other.example")
    found = operator(Role.SUPPORT).get(reverse("admin:accounts_user_changelist"), {"q": "OWNER@acme"})
    assert [each.pk for each in found.context["cl"].result_list] == [acme.owner.pk]


def test_the_request_log_names_the_customer_and_is_filtered_by_result(acme: Office) -> None:
    other = office("Other")
    now = timezone.now()
    earlier = RequestLog.objects.get()
    spoken, refused, broken = (called(acme, at=now, status=status) for status in (200, 429, 500))
    called(other, at=now - timedelta(hours=2), status=500)
    client, address = operator(Role.SUPPORT), reverse("admin:usage_requestlog_changelist")
    for outcome, rows in {"failed": {refused, broken}, "server": {broken}, "succeeded": {spoken, earlier}}.items():
        found = client.get(address, {"outcome": outcome})
        assert {*found.context["cl"].result_list} == rows, outcome
    html = client.get(address).content.decode()
    assert ">Acme</a>" in html
    assert ">Other</a>" in html
    assert f"req_{spoken.pk.hex}" in html
    assert f"{now:%Y-%m-%d %H:%M:%S}" in html


def test_an_empty_list_offers_nothing_to_create() -> None:
    html = operator(Role.SUPPORT).get(reverse("admin:billing_invoice_changelist")).content.decode()
    assert "No results" in html
    assert "Create a new item" not in html
