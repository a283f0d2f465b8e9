"""The page that speaks as it writes, and the page of pronunciations, in a real browser."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import UsageRecord
from gateway.speech.stream_context import PAUSE_MS
from tests.browser.conftest import in_thread
from tests.console.people import Office
from tests.gateway.speaking import transcript_of


def records(shop: Office) -> list[UsageRecord]:
    return in_thread(lambda: list(UsageRecord.objects.filter(organization=shop.organization)))


def test_what_is_written_is_heard_and_billed(page: Page, shop: Office) -> None:
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(shop.path("playground/written"))
    page.get_by_label("What the model writes").fill("Of course! It is late. Shall we go?")
    page.get_by_label("Words per second").fill("20")
    page.get_by_role("button", name="Write and speak").click()
    expect(page.locator("#state")).to_have_text("Done.", timeout=30_000)
    expect(page.locator("#written")).to_have_text("Of course! It is late. Shall we go?")
    billed = records(shop)
    assert len(billed) == 3
    assert sum(each.cost for each in billed) == Decimal((page.locator("#cost").text_content() or "").strip("$"))
    played = float((page.locator("#played").text_content() or "").removesuffix(" s"))
    spoken = sum(each.duration_ms for each in billed) + 2 * PAUSE_MS
    assert played == pytest.approx(spoken / 1000, abs=0.05)
    assert not problems


def test_a_dictionary_is_heard_on_its_page(page: Page, shop: Office) -> None:
    page.goto(shop.path("pronunciation"))
    new = page.get_by_label("New dictionary")
    new.get_by_label("Name").fill("Ours")
    new.get_by_label("Rules").fill("Nguyen,win")
    new.get_by_role("button", name="Create").click()
    card = page.get_by_label("Ours")
    expect(card.get_by_label("Listen to a sentence")).to_have_value("This is Nguyen.")
    with page.expect_response("**/v1/audio/speech") as answered:
        card.get_by_role("button", name="Listen", exact=True).click()
    audio_id = answered.value.headers["x-audio-id"]
    expect(card.locator("[data-state]")).to_have_text("", timeout=20_000)
    assert in_thread(lambda: transcript_of(audio_id)) == "This is win."
