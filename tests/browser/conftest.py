"""A real chromium, the session's service, and the cookie of whoever has signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page

from tests.browser import chromium
from tests.console import people
from tests.console.people import Office, office
from tests.live import Service

Value = TypeVar("Value")


@pytest.fixture(autouse=True)
def _chromium_is_there() -> None:
    if chromium.PATH is None:
        pytest.skip("no chromium on the PATH (Debian and Ubuntu: apt install chromium)")


@pytest.fixture
def website(service: Service) -> Service:
    return service


@pytest.fixture
def chrome(website: Service) -> Iterator[Browser]:
    with chromium.chromium() as browser:
        yield browser


@pytest.fixture
def credit() -> str:
    return "1.00"


@pytest.fixture
def shop(committed: None, credit: str) -> Office:
    return office(uuid4().hex, credit)


@pytest.fixture
def session(shop: Office) -> str:
    return people.browser(shop.owner).cookies["sessionid"].value


@pytest.fixture
def page(website: Service, session: str, chrome: Browser) -> Page:
    """The shop's owner's, signed in."""
    context = chrome.new_context(base_url=website.url)
    context.add_cookies([signed_in(website, session)])
    return context.new_page()


def in_thread(question: Callable[[], Value]) -> Value:
    """Playwright's event loop keeps Django's database away from its thread."""

    def ask() -> Value:
        try:
            return question()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def signed_in(website: Service, session: str) -> dict[str, Any]:
    """The cookie of a session."""
    return {"name": "sessionid", "value": session, "url": website.url}
