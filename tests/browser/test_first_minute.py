"""From the front page to the first sentence, as a newcomer goes: sign up, key, paste, hear."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from inference.speech.voices import VOICES
from tests.live import Service
from tests.mailbox import Mailbox

PLAYED = """audio => new Promise((resolve, reject) => {
    audio.onended = () => resolve(audio.currentTime);
    audio.onerror = () => reject(audio.error.message);
    audio.play().catch(reject);
})"""


def sign_up(page: Page, website: Service, mailbox: Mailbox) -> str:
    """By the form and the letter's link; the address."""
    address = f"{uuid4().hex}@new.example"
    page.goto(website.url)
    page.get_by_role("link", name="Get an API key").click()
    page.get_by_label("Email").fill(address)
    page.get_by_label("Organization").fill("Newcomers")
    page.get_by_label("Password").fill("an analytical engine")
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(re.compile("/accounts/confirm-email/"))
    found = re.search(rf"{website.url}/accounts/confirm-email/\S+", mailbox.letter_to(address))
    assert found
    page.goto(found[0])
    page.get_by_role("button", name="Confirm").click()
    return address


def test_each_voice_is_heard_on_the_front_page(website: Service, chrome: Browser) -> None:
    page = chrome.new_page()
    page.goto(website.url)
    voices = page.get_by_role("link", name=re.compile("^Play "))
    assert voices.count() == len(VOICES)
    for link in voices.all():
        address = str(link.get_attribute("href"))
        assert "/samples/hibari-0.2.1-heart/" in address, "the tests' worker speaks as the preview"
        sample = page.request.get(website.url + address)
        assert (sample.status, sample.headers["content-type"]) == (200, "audio/mpeg")
    first, second = voices.first, voices.last
    first.click()
    expect(first).to_have_attribute("data-play", "on")
    second.click()
    expect(second).to_have_attribute("data-play", "on")
    expect(first).to_have_attribute("data-play", "")
    expect(second).to_have_attribute("data-play", "", timeout=20_000)  # it has ended


def test_from_sign_up_to_the_first_sound(
    website: Service, mailbox: Mailbox, chrome: Browser, tmp_path: Path
) -> None:
    page = chrome.new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    sign_up(page, website, mailbox)
    expect(page.get_by_role("heading", name="Make your first request")).to_be_visible()
    page.get_by_role("button", name="Create key").click()
    expect(page.locator(".secret code")).to_have_text(re.compile(r"^sk-\w{16}-\w{43}$"))
    expect(page.get_by_text("Waiting for your first request")).to_be_visible()

    page.get_by_role("tab", name="Python").click()
    code = page.locator("#sample-python code").text_content()
    assert code
    printed = run([sys.executable, "-c", code], tmp_path)
    assert re.fullmatch(r"\d+\.\d+ s for \$ 0\.\d{9}\n", printed)
    expect(page.get_by_text("Your first request succeeded")).to_be_visible(timeout=10_000)

    page.get_by_role("link", name="View request").click()
    expect(page.get_by_role("heading", name="POST /v1/chat/completions")).to_be_visible()
    seconds = page.locator("audio").evaluate(PLAYED)
    with wave.open(str(tmp_path / "hello.wav")) as sound:
        assert seconds == pytest.approx(sound.getnframes() / sound.getframerate(), abs=0.05)
    assert not problems


def test_the_curl_sample_runs_as_it_stands(
    website: Service, mailbox: Mailbox, chrome: Browser, tmp_path: Path
) -> None:
    page = chrome.new_page()
    sign_up(page, website, mailbox)
    page.get_by_role("button", name="Create key").click()
    code = page.locator("#sample-curl code").text_content()
    assert code
    run(["bash", "-c", code], tmp_path)
    with wave.open(str(tmp_path / "hello.wav")) as sound:
        assert sound.getnframes()


def test_it_goes_without_javascript(website: Service, mailbox: Mailbox, chrome: Browser) -> None:
    page = chrome.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800}).new_page()
    sign_up(page, website, mailbox)
    page.get_by_role("button", name="Create key").click()
    for name in ("curl", "python", "javascript"):
        expect(page.locator(f"#sample-{name}")).to_be_visible()
    page.get_by_role("navigation", name="Console").get_by_role("link", name="API keys").click()
    expect(page.get_by_role("link", name="Getting started")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Text to speech, billed by the minute.")).to_be_visible()


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
