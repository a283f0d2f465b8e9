"""A customer's days in the console: keys, usage that equals the ledger, a budget that stops, an invoice."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import openai
import pymupdf
import pytest
from django.db.models import Sum
from openai import OpenAI
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from accounts import keys
from accounts.models import AuditEvent
from billing import pricing
from billing.models import Account, Invoice, LedgerEntry, UsageRecord
from tests.billing.invoices import months_of_use
from tests.browser.conftest import in_thread
from tests.console.people import Office, browser, office
from tests.gateway.speaking import ask, scripted
from tests.live import Service, wait_for
from usage.models import RequestLog


def status(website: Service, secret: str) -> tuple[int, str | None]:
    answer = httpx.get(f"{website.url}/v1/models", headers={"authorization": f"Bearer {secret}"})
    return answer.status_code, answer.json().get("error", {}).get("code")


def speak(website: Service, secret: str, *frames: int) -> None:
    with OpenAI(base_url=f"{website.url}/v1", api_key=secret, max_retries=0) as client:
        for number in frames:
            ask(client, scripted(number, max_completion_tokens=number))


def test_a_keys_life(website: Service, shop: Office, page: Page) -> None:
    page.goto(shop.path("keys/new"))
    page.get_by_label("Name").fill("robot")
    page.get_by_label("Expires").select_option("In 7 days")
    page.get_by_label("Daily budget (USD)").fill("0.5")
    page.get_by_label("Allowed IP addresses").fill("127.0.0.1")
    page.get_by_role("button", name="Create key").click()
    first = page.locator(".secret code").text_content()
    assert first
    speak(website, first, 5)
    page.goto(shop.path("keys"))
    page.get_by_role("link", name="robot").click()
    assert first not in page.content()
    expect(page.locator("dl.facts")).not_to_contain_text("never")
    expect(page.get_by_text("$0.00015 of $0.50")).to_be_visible()
    of_first = page.url

    page.get_by_label("Old key").select_option("Keep for 1 hour")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Rotate").click()
    second = page.locator(".secret code").text_content()
    assert second
    assert second != first
    assert status(website, first) == status(website, second) == (200, None)
    page.get_by_role("navigation", name="Console").get_by_role("link", name="API keys").click()
    with suppress(PlaywrightError):
        page.go_back()
    page.wait_for_url("chrome-error://**")  # what a form answered is not to be had again

    page.goto(of_first)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("revoked").first).to_be_visible()
    wait_for(lambda: status(website, first) == (401, "invalid_api_key"), seconds=2, what="it is refused")
    assert status(website, second) == (200, None)

    page.goto(of_first.replace(first[:19], second[:19]))
    page.get_by_label("Allowed IP addresses").fill("203.0.113.0/24")
    page.get_by_role("button", name="Save").click()
    wait_for(
        lambda: status(website, second) == (401, "ip_not_authorized"), seconds=2, what="the network is kept to"
    )
    events = AuditEvent.objects.filter(organization_id=shop.organization.id, subject__contains="robot")
    done = in_thread(lambda: [*events.order_by("id").values_list("action", flat=True)])
    assert done == ["key.created", "key.rotated", "key.revoked", "key.changed"]


def test_usage_equals_the_ledger(website: Service, shop: Office, page: Page) -> None:
    secret = in_thread(lambda: keys.create(organization=shop.organization, name="mine")[1])
    speak(website, secret, 25, 40, 61)
    with pytest.raises(openai.BadRequestError):
        speak(website, secret, 0)

    def in_the_books() -> tuple[Decimal, Decimal, int]:
        of = {"organization": shop.organization}
        revenue = LedgerEntry.objects.filter(transaction__organization=shop.organization, account="revenue")
        records = UsageRecord.objects.filter(**of).aggregate(ms=Sum("duration_ms"))
        balance = Account.objects.get(**of).balance
        return revenue.aggregate(sum=Sum("amount"))["sum"], balance, records["ms"]

    cost, balance, duration_ms = in_thread(in_the_books)
    assert (cost, duration_ms) == (126 * Decimal("0.00003"), 126 * 40)
    log = RequestLog.objects.filter(organization_id=shop.organization.id)
    wait_for(lambda: in_thread(log.count) == 4, what="all calls are in the log")

    page.goto(shop.path("usage?by=key"))
    figures = {
        figure.locator("dt").inner_text(): figure.locator("dd").all_inner_texts()
        for figure in page.locator(".figure").all()
    }
    assert figures["Cost"] == ["$0.00378", "$0.00126 per request"]
    assert figures["Audio"] == ["5 s", "1.7 s per request"]
    assert figures["Requests"] == ["4", "1 failed"]
    row = page.get_by_role("region", name="By key").get_by_role("row").filter(has_text="mine")
    expect(row).to_contain_text("$0.00378")

    page.goto(shop.path("requests"))
    costs = page.get_by_role("region", name="Requests").locator("td:nth-child(7)").all_inner_texts()
    assert sum(Decimal(text.strip("$")) for text in costs if text != "–") == cost
    page.get_by_role("region", name="Requests").get_by_role("link").nth(1).click()
    expect(page.get_by_text("2440 ms × $0.045 ÷ 60,000 ms = $0.001830000")).to_be_visible()

    page.goto(shop.path("billing"))
    expect(page.get_by_text(f"${pricing.show(balance)}")).to_be_visible()
    expect(page.get_by_role("region", name="Transactions")).to_contain_text(f"-{pricing.show(cost)}")


def test_a_budget_stops_and_is_lifted(website: Service, shop: Office, page: Page) -> None:
    secret = in_thread(lambda: keys.create(organization=shop.organization, name="mine")[1])
    page.goto(shop.path("billing"))
    page.get_by_label("Daily budget (USD)").fill("0.0008")
    budgets = page.locator("section", has=page.get_by_role("heading", name="Budgets"))
    budgets.get_by_role("button", name="Save").click()
    speak(website, secret, 25)
    with pytest.raises(openai.RateLimitError) as refused:
        speak(website, secret, 25)
    assert refused.value.code == "budget_exceeded"
    page.goto(shop.path("billing"))
    expect(page.get_by_role("img", name="$0.00005 of $0.00080 left")).to_be_visible()
    page.goto(shop.path("requests?outcome=failed"))
    expect(page.get_by_text("budget_exceeded")).to_be_visible()
    page.goto(shop.path("billing"))
    page.get_by_label("Daily budget (USD)").fill("")
    budgets.get_by_role("button", name="Save").click()
    speak(website, secret, 25)


@pytest.mark.parametrize("kind", ["PDF", "CSV", "JSON"])
def test_an_invoice_is_downloaded(website: Service, shop: Office, page: Page, kind: str, tmp_path: Path) -> None:
    def issue() -> Invoice:
        Account.objects.filter(organization=shop.organization).update(credit_limit=100)
        months_of_use.use(shop.organization, 3_600_000)
        return months_of_use.issue(shop.organization)

    invoice = in_thread(issue)
    page.goto(shop.path("billing"))
    with page.expect_download() as download:
        page.get_by_role("region", name="Invoices").get_by_role("link", name=kind).click()
    assert download.value.suggested_filename == f"{invoice.number}.{kind.lower()}"
    download.value.save_as(tmp_path / "document")
    content = (tmp_path / "document").read_bytes()
    match kind:
        case "PDF":
            with pymupdf.open(stream=content) as document:
                text = "".join(page.get_text() for page in document)
            assert {str(invoice.number), f"${invoice.total:.2f}"} <= {*text.split("\n")}
        case "CSV":
            rows = list(csv.DictReader(io.StringIO(content.decode())))
            assert sum(Decimal(row["exact_dollars"]) for row in rows) == Decimal("2.7")
        case _:
            assert json.loads(content)["number"] == invoice.number
    rival = in_thread(lambda: browser(office(uuid4().hex).owner).cookies["sessionid"].value)
    address = f"{website.url}{shop.path('billing/invoices/')}{invoice.pk}.{kind.lower()}"
    assert httpx.get(address, cookies={"sessionid": rival}).status_code == 404


def test_a_key_is_made_with_the_keyboard_alone(shop: Office, page: Page) -> None:
    page.goto(shop.path("keys/new"))
    focused = "document.activeElement"
    for _ in range(60):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            f"getComputedStyle({focused}).outlineStyle + getComputedStyle({focused}).boxShadow"
        )
        assert outline != "nonenone", page.evaluate(f"{focused}.outerHTML")
        if page.evaluate(f"{focused}.id") == "id_name":
            break
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    expect(page.locator(".secret code")).to_be_visible()


def test_forms_and_tables_go_without_javascript(
    website: Service, shop: Office, session: str, chrome: Browser
) -> None:
    context = chrome.new_context(base_url=website.url, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": session, "url": website.url}])
    page = context.new_page()
    page.goto(shop.path("settings"))
    page.get_by_label("Name").fill("Renamed, Inc.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(shop.path("keys/new"))
    page.get_by_label("Name").fill("plain")
    page.get_by_role("button", name="Create key").click()
    secret = page.locator(".secret code").text_content()
    assert secret
    speak(website, secret, 5)
    page.goto(shop.path("usage?by=key"))
    expect(page.get_by_role("region", name="By key")).to_contain_text("plain")
    page.goto(shop.path("requests"))
    expect(page.get_by_role("region", name="Requests")).to_contain_text("POST /v1/chat/completions")
    page.goto(shop.path("activity"))
    for said in ("renamed the organization", "created the key"):
        expect(page.locator("main")).to_contain_text(said)
