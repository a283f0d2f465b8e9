"""Charts as a browser draws them: each step says what its row in the table says, in the page's colours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pymupdf
import pytest
from django.utils import timezone
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import in_thread
from tests.console.people import Office, called, forget_calls
from tests.live import Service

BLUE = {"light": (0, 114, 178), "dark": (86, 180, 233)}
"""The first series' colour."""


@pytest.fixture
def usage(website: Service, shop: Office, page: Page) -> Iterator[Page]:
    """A week of days that differ, one with nothing, one with failures. None of it is booked, so it goes again."""

    def fill() -> None:
        today = timezone.now()
        for ago, (frames, calls) in enumerate(
            [(1525, 3), (50, 1), (1000, 2), (0, 0), (175, 4), (2250, 1), (825, 2)]
        ):
            for _ in range(calls):
                called(shop, at=today - timedelta(days=ago), frames=frames, total_ms=300 + frames)
        for _ in range(2):
            called(shop, at=today - timedelta(days=2), status=429)

    in_thread(fill)
    page.goto(shop.path("usage?range=7d"))
    yield page
    in_thread(lambda: forget_calls(shop))


def chart(page: Page, title: str) -> Locator:
    return page.locator("figure.chart").filter(has=page.get_by_text(title, exact=True))


def point_at(plot: Locator, step: int, steps: int) -> None:
    over = plot.locator(".u-over").bounding_box()
    assert over
    plot.locator(".u-over").hover(position={"x": over["width"] * (step + 0.5) / steps, "y": over["height"] / 2})


def painted(plot: Locator, scheme: str) -> NDArray[np.bool_]:
    """[height, width]: where the first series is."""
    image = pymupdf.Pixmap(plot.locator("canvas").screenshot())
    pixels = np.frombuffer(image.samples, np.uint8).reshape(image.height, image.width, image.n)
    return np.asarray((pixels[:, :, :3] == BLUE[scheme]).all(axis=2))


def test_each_step_says_what_its_row_says(usage: Page) -> None:
    usage.get_by_text("Data by day").click()
    rows = [row.locator("td").all_text_contents() for row in usage.locator("details.card tbody tr").all()]
    assert len(rows) == 7
    for step, (day, audio, requests, failed, p50, p95, cost) in enumerate(rows):
        for title, said in (("Audio", audio), ("Cost", cost), ("Requests", requests)):
            point_at(chart(usage, title), step, 7)
            expect(chart(usage, title).locator("[data-said]")).to_have_text(f"{day}: {said}")
        counts = chart(usage, "Requests").locator(".legend b")
        expect(counts).to_have_text([str(int(requests) - int(failed)), failed])
        point_at(chart(usage, "Latency"), step, 7)
        expect(chart(usage, "Latency").locator(".legend b")).to_have_text([p50, p95])
    usage.mouse.move(0, 0)
    expect(chart(usage, "Requests").locator("[data-said]")).to_have_text(str(sum(int(row[2]) for row in rows)))


def test_a_bar_is_as_high_as_its_number(usage: Page) -> None:
    heights = painted(chart(usage, "Cost"), "light").sum(axis=0)
    bars = [max(bar) for bar in np.split(heights, np.flatnonzero(np.diff(heights > 0)) + 1) if max(bar)]
    rows = usage.locator("details.card tbody tr").all()
    costs = [float((row.locator("td").last.text_content() or "").lstrip("$")) for row in rows]
    shares = [cost / max(costs) for cost in costs if cost]
    assert [bar / max(bars) for bar in bars] == pytest.approx(shares, abs=0.02)


def test_they_follow_the_pages_colours_and_width(usage: Page) -> None:
    plot = chart(usage, "Audio")
    assert painted(plot, "light").sum() > 1000
    usage.get_by_role("button", name="Light or dark").click()
    assert not painted(plot, "light").any()
    assert painted(plot, "dark").sum() > 1000
    usage.set_viewport_size({"width": 390, "height": 800})
    assert painted(plot, "dark").sum() > 1000
    assert 200 < painted(plot, "dark").shape[1] < 390


def test_without_script_the_numbers_are_there(website: Service, shop: Office, usage: Page) -> None:
    browser = usage.context.browser
    assert browser
    without = browser.new_context(
        base_url=website.url, java_script_enabled=False, storage_state=usage.context.storage_state()
    )
    page = without.new_page()
    page.goto(shop.path("usage?range=7d"))
    expect(chart(page, "Audio").get_by_text("This chart needs JavaScript")).to_be_visible()
    page.get_by_text("Data by day").click()
    expect(page.locator("details.card tbody tr")).to_have_count(7)
    expect(page.locator("details.card tbody tr").first).to_be_visible()
