"""One of the operator's people, from the sign-in with a second factor to what the audit log says of the day."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from billing.models import OperatorAct
from inference.models import SynthesisJob
from operations import roles
from tests.billing.books import account_of
from tests.browser.conftest import in_thread
from tests.console.people import Office, person, waiting_job
from tests.live import Service

PASSWORD, TOTP_SECRET = "an analytical engine", "JBSWY3DPEHPK3PXP"


def operator(role: roles.Role) -> User:
    user = person(f"{uuid4().hex}@speech.example")
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, TOTP_SECRET)
    roles.appoint(user, role)
    return user


def enter(page: Page, user: User) -> None:
    """By password and the code of the authenticator."""
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    code = format_hotp_value(hotp_value(TOTP_SECRET, next(iter(yield_hotp_counters_from_time()))))
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    # The next page asked for would cut the sign-in short.
    page.wait_for_url("**/admin/")


def acts_of(user: User) -> list[tuple[str, str]]:
    """(reason, what) of all that the person did."""
    acts = OperatorAct.objects.filter(actor=user.email).order_by("id").select_related("transaction")
    return in_thread(lambda: [(act.reason, act.what or act.transaction.kind) for act in acts])


def test_credit_is_given_with_a_reason(website: Service, shop: Office, chrome: Browser) -> None:
    user = in_thread(lambda: operator(roles.Role.BILLING))
    page = chrome.new_context(base_url=website.url).new_page()
    enter(page, user)
    expect(page.get_by_text("Ledger drift")).to_be_visible()
    page.goto(f"/admin/accounts/organization/?q={shop.organization.pk}")
    page.get_by_role("link", name=shop.organization.name).first.click()
    page.get_by_role("navigation", name="Actions").get_by_role("link", name="Give promotional credit").click()
    page.get_by_label("Amount").fill("2.50")
    page.get_by_role("button", name="Give promotional credit").click()
    expect(page.get_by_role("alert")).to_have_text("This field is required.")
    assert acts_of(user) == []
    page.get_by_label("Reason").fill("for the outage of Monday")
    page.get_by_role("button", name="Give promotional credit").click()
    expect(page.get_by_text("$2.50 of promotional credit given.")).to_be_visible()
    assert in_thread(lambda: account_of(shop.organization).promotional) == Decimal("3.50")
    assert acts_of(user) == [("for the outage of Monday", "grant")]
    page.goto("/admin/billing/operatoract/")
    expect(page.get_by_role("row").filter(has_text="for the outage of Monday")).to_contain_text(user.email)
    page.goto("/admin/inference/synthesisjob/")
    expect(page.get_by_text("Cancel job")).to_have_count(0)


@pytest.mark.usefixtures("alone")  # nobody takes a job that waits
def test_a_job_is_cancelled_and_a_customer_visited(website: Service, shop: Office, chrome: Browser) -> None:
    user, job = in_thread(lambda: (operator(roles.Role.SUPPORT), waiting_job(shop)))
    page = chrome.new_context(base_url=website.url).new_page()
    enter(page, user)
    page.goto(f"/admin/inference/synthesisjob/{job.pk}/change/")
    expect(page.get_by_text("waits since then")).to_be_visible()
    page.get_by_role("link", name="Cancel job").click()
    page.get_by_label("Reason").fill("stuck")
    page.get_by_role("button", name="Cancel job").click()
    expect(page.get_by_text("The job is cancelled")).to_be_visible()
    assert in_thread(lambda: SynthesisJob.objects.get(pk=job.pk).state) == "cancelled"

    page.goto(f"/admin/accounts/organization/{shop.organization.pk}/visit/")
    page.get_by_label("Reason").fill("asked why a request failed")
    page.get_by_role("button", name="Visit the console").click()
    expect(page.get_by_text("Nothing can be changed")).to_be_visible()
    page.goto(shop.path("keys/new"))
    page.get_by_label("Name").fill("mine now")
    page.get_by_role("button", name="Create key").click()
    expect(page.locator(".secret")).to_have_count(0)
    page.get_by_role("button", name="End the visit").click()
    page.wait_for_url(f"**/admin/accounts/organization/{shop.organization.pk}/change/")
    page.goto(shop.path("keys"))
    expect(page.get_by_role("heading", name="API keys")).to_have_count(0)
    assert acts_of(user) == [
        ("stuck", f"job {job.pk} cancelled"),
        ("asked why a request failed", f"visit of organization {shop.organization.pk}"),
    ]


def test_a_customer_finds_the_door_closed(shop: Office, page: Page) -> None:
    for path in ("/admin/", f"/admin/accounts/organization/{shop.organization.pk}/give-credit/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403
