"""A voice of one's own is recorded in the browser, heard, renamed and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from inference.models import CustomVoice, VoiceConsent
from tests.browser import chromium
from tests.browser.conftest import in_thread, signed_in
from tests.console.people import Office
from tests.gateway.recorded import syllables
from tests.live import Service

SPEECH_SECONDS = 20
RECORDED_SECONDS = 5


@pytest.fixture
def chrome(website: Service, tmp_path: Path) -> Iterator[Browser]:
    """With a microphone that hears a file."""
    heard = tmp_path / "microphone.wav"
    heard.write_bytes(syllables(SPEECH_SECONDS, rate=48_000))
    with chromium.chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard}",
    ) as browser:
        yield browser


@pytest.fixture
def page(website: Service, session: str, chrome: Browser, shop: Office) -> Page:
    context = chrome.new_context(base_url=website.url, permissions=["microphone"])
    context.add_cookies([signed_in(website, session)])
    page = context.new_page()
    page.goto(shop.path("voices"))
    return page


def record(page: Page, form: Any) -> None:
    form.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(RECORDED_SECONDS * 1000)
    form.get_by_role("button", name="Stop", exact=True).click()
    expect(form.get_by_role("status")).to_have_text("Listen to it before you send it.")
    player = form.get_by_label("What you have recorded or chosen")
    expect(player).to_be_visible()
    player.evaluate("audio => audio.play()")


def test_a_voice_is_recorded_heard_renamed_and_deleted(page: Page, shop: Office) -> None:
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    consent = page.locator("form", has=page.get_by_role("button", name="Keep consent"))
    consent.get_by_label("Language").select_option("German")
    expect(consent.get_by_text("Ich bin der Inhaber")).to_be_visible()
    expect(consent.get_by_text("I am the owner")).to_be_hidden()
    consent.get_by_label("Speaker").fill("Ada")
    record(page, consent)
    consent.get_by_role("button", name="Keep consent").click()
    expect(page.get_by_text("The consent of “Ada” is kept.")).to_be_visible()

    voice = page.locator("form", has=page.get_by_role("button", name="Create voice"))
    voice.get_by_label("Name").fill("Ada, warm")
    record(page, voice)
    voice.get_by_role("button", name="Create voice").click()
    expect(page.get_by_text("“Ada, warm” is ready.")).to_be_visible()

    sample = page.get_by_label("Sample of Ada, warm")
    length = sample.evaluate(
        "audio => new Promise((done, failed) => { audio.onloadedmetadata = () => done(audio.duration);"
        " audio.onerror = () => failed(audio.error.message); audio.load(); audio.play(); })"
    )
    assert length == pytest.approx(RECORDED_SECONDS, abs=1)
    page.get_by_label("Name of Ada, warm").fill("Ada")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert in_thread(lambda: CustomVoice.objects.get(organization=shop.organization).name) == "Ada"

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("region", name="Voices").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The voice and its recordings are deleted.")).to_be_visible()
    tables = (CustomVoice, VoiceConsent)
    left = in_thread(lambda: [each.objects.filter(organization=shop.organization).count() for each in tables])
    assert left == [0, 0]
    assert not problems


def test_a_file_that_is_no_voice_is_refused_in_words(page: Page) -> None:
    consent = page.locator("form", has=page.get_by_role("button", name="Keep consent"))
    consent.get_by_label("Speaker").fill("Ada")
    file = {"name": "silence.wav", "mimeType": "audio/wav", "buffer": syllables(4)[:44] + bytes(192_000)}
    consent.get_by_label("Recording of the phrase").set_input_files(file)
    consent.get_by_role("button", name="Keep consent").click()
    expect(page.get_by_text("The recording cannot be used: it is silent.")).to_be_visible()
