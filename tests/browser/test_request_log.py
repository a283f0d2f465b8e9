"""The log of requests in a browser: filters and pages change its rows in place, and the address with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import in_thread
from tests.console.people import Office, called, forget_calls
from usage.request_search import PAGE_SIZE


@pytest.fixture
def log(shop: Office, page: Page) -> Iterator[Page]:
    def fill() -> None:
        for voice in ("alloy", *["nova"] * (PAGE_SIZE + 1)):
            called(shop, voice=voice, status=429)

    in_thread(fill)
    page.goto(shop.path("requests"))
    page.evaluate("window.isTheSame = true")
    yield page
    in_thread(lambda: forget_calls(shop))


def rows(log: Page) -> Locator:
    return log.locator("tbody tr")


def is_the_same(log: Page) -> bool:
    return bool(log.evaluate("window.isTheSame"))


def test_a_filter_changes_the_rows_and_the_address(log: Page) -> None:
    expect(rows(log)).to_have_count(PAGE_SIZE)
    log.get_by_label("Voice").focus()
    log.get_by_label("Voice").select_option("alloy")
    expect(rows(log)).to_have_count(1)
    expect(log).to_have_url(re.compile("voice=alloy"))
    expect(log.get_by_label("Voice")).to_be_focused()
    assert is_the_same(log)
    log.get_by_label("Status").select_option("Succeeded")
    expect(log.get_by_text("No matching requests")).to_be_visible()
    log.reload()
    expect(log.get_by_text("No matching requests")).to_be_visible()
    log.go_back()
    expect(rows(log)).to_have_count(1)
    assert "<tr" not in log.evaluate("JSON.stringify([localStorage, sessionStorage])")


def test_the_next_page_comes_in_place(log: Page) -> None:
    log.get_by_role("link", name="Older").click()
    expect(rows(log)).to_have_count(2)
    assert is_the_same(log)
    log.get_by_role("link", name="Newest").click()
    expect(rows(log)).to_have_count(PAGE_SIZE)
    rows(log).first.get_by_role("link").first.click()
    expect(log.get_by_role("heading", level=1)).to_contain_text("POST /v1/chat/completions")


def test_whoever_is_signed_out_by_then_is_asked_to_sign_in(log: Page, shop: Office) -> None:
    log.context.clear_cookies()
    log.get_by_label("Status").select_option("Failed")
    log.wait_for_url("**/accounts/login/**")
    assert shop.path("requests") in log.url


def test_a_phone_shows_what_a_call_cost_and_no_filter_is_wider_than_it(log: Page, shop: Office) -> None:
    in_thread(lambda: called(shop, error_code=""))
    log.set_viewport_size({"width": 390, "height": 800})
    log.reload()
    seen = [log.locator("thead th", has_text="Cost"), rows(log).first, *log.locator(".filters select").all()]
    for element in seen:
        box = element.bounding_box()
        assert box
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390, box
    expect(log.locator("thead th", has_text="Endpoint")).to_be_hidden()
