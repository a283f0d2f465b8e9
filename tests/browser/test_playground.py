"""The playground in a real browser: what is heard, what it costs, stopping, and the code."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Page, expect

from accounts import keys
from billing.models import UsageRecord
from inference.models import SynthesisJob
from tests.browser.conftest import in_thread
from tests.console.people import Office
from tests.live import wait_for

Value = TypeVar("Value")
LONG = 'script: {"frames": 400, "pace": 0.04}'
PLAYED = """audio => new Promise((resolve, reject) => {
    audio.onended = () => resolve(audio.currentTime);
    audio.onerror = () => reject(audio.error.message);
})"""


@pytest.fixture
def secret(shop: Office) -> str:
    return keys.create(organization=shop.organization, name="mine")[1]


@pytest.fixture
def page(page: Page, shop: Office) -> Page:
    page.goto(shop.path("playground"))
    return page


def seconds(page: Page, id: str) -> float:
    text = page.locator(f"#{id}").text_content()
    assert text
    return float(text.removesuffix(" s"))


def test_it_is_heard_as_long_as_it_is_billed(page: Page, shop: Office) -> None:
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.get_by_label("Text", exact=True).fill("Good evening.")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#state")).to_have_text("Done.", timeout=20_000)
    assert seconds(page, "played") == pytest.approx(seconds(page, "duration"), abs=0.05)
    records = in_thread(lambda: list(UsageRecord.objects.filter(organization=shop.organization)))
    assert [each.cost for each in records] == [Decimal((page.locator("#cost").text_content() or "").strip("$"))]
    assert records[0].duration_ms / 1000 == pytest.approx(seconds(page, "played"), abs=0.05)
    play = page.locator("#history").get_by_role("button", name=re.compile("^Play"))
    expect(play).to_have_count(1)
    heard = page.locator("#player").evaluate_handle(f"audio => ({{promise: ({PLAYED})(audio)}})")
    play.click()
    assert heard.evaluate("held => held.promise") == pytest.approx(seconds(page, "duration"), abs=0.05)
    with page.expect_download() as downloading:
        page.get_by_label("Download as").select_option("flac")
        page.get_by_role("button", name="Download").click()
    assert downloading.value.path().read_bytes().startswith(b"fLaC")
    assert not problems


def test_stop_cancels(page: Page, shop: Office) -> None:
    page.get_by_label("Style").fill(LONG)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#state")).to_have_text("Playing …", timeout=20_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#state")).to_contain_text("Stopped.")
    state = SynthesisJob.objects.filter(organization=shop.organization).values_list("state", flat=True)
    wait_for(lambda: in_thread(lambda: list(state.all())) == ["cancelled"], what="the job is cancelled")


def test_the_code_is_what_was_sent_and_runs(secret: str, page: Page, tmp_path: Path) -> None:
    page.get_by_label("Text", exact=True).fill("It's me, “you”.")
    page.get_by_text("Advanced settings").click()
    page.get_by_label("Seed").fill("7")
    code = page.locator("#code-curl code").text_content() or ""
    with page.expect_request("**/v1/chat/completions") as sending:
        page.get_by_role("button", name="Generate").click()
    sent = sending.value.post_data_json
    shown = code.partition("-d '")[2].removesuffix("'").replace("'\\''", "'")
    assert json.loads(shown) == sent
    assert sent["seed"] == 7
    assert run(["bash", "-c", code], secret, tmp_path).rstrip().endswith("[DONE]")
    python = page.locator("#code-python code").text_content() or ""
    printed = run([sys.executable, "-c", python], secret, tmp_path)
    spoken = re.fullmatch(r"(\d+\.\d+) s for \$ 0\.\d{9}\n", printed)
    assert spoken
    assert (tmp_path / "speech.pcm").stat().st_size / 48_000 == pytest.approx(float(spoken[1]), abs=0.01)


def run(command: list[str], secret: str, folder: Path) -> str:
    environment = {**os.environ, "OPENAI_API_KEY": secret}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("credit", ["0"])
def test_a_refusal_is_said_at_the_form(page: Page) -> None:
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert")).to_contain_text("out of credit")


def test_the_keyboard_generates_and_a_reload_keeps_the_text(page: Page) -> None:
    text = page.get_by_label("Text", exact=True)
    text.fill("")
    text.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("Enter some text first.")
    text.fill("Good evening.")
    page.get_by_label("Voice", exact=True).select_option("nova")
    text.press("Control+Enter")
    expect(page.locator("#state")).to_have_text("Done.", timeout=20_000)
    page.reload()
    expect(text).to_have_value("Good evening.")
    expect(page.get_by_label("Voice", exact=True)).to_have_value("nova")


def test_the_cost_is_estimated_before_and_a_long_text_is_refused_here(page: Page) -> None:
    text = page.get_by_label("Text", exact=True)
    text.fill("word " * 300)
    expect(page.locator("#estimate")).to_have_text("About 1 min 40 s, $0.07")
    text.fill("x" * 5_000)
    expect(page.locator("#characters")).to_have_text("5,000")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert")).to_contain_text("5,000 characters. The limit is 4,096")


def test_a_template_asks_before_it_replaces_a_text(page: Page) -> None:
    text = page.get_by_label("Text", exact=True)
    text.fill("My own words.")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="News").click()
    expect(text).to_have_value("My own words.")
    assert "News" in asked[0]
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="News").click()
    expect(text).to_have_value(re.compile("city council"))
    page.get_by_role("button", name="Narration").click()  # a template's text is nobody's own
    expect(text).to_have_value(re.compile("first train"))


def test_the_waveform_seeks(page: Page) -> None:
    page.get_by_label("Text", exact=True).fill("Good evening, and welcome to the news.")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#state")).to_have_text("Done.", timeout=30_000)
    player = page.locator("#player")
    long = player.evaluate("audio => audio.duration")
    drawn = min(4 * math.ceil(long * 25), page.locator("#waveform").bounding_box()["width"])  # type: ignore[index]
    page.locator("#waveform").click(position={"x": drawn / 2, "y": 20})
    assert player.evaluate("audio => audio.currentTime") == pytest.approx(long / 2, abs=0.15)
