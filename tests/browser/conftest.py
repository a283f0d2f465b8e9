"""A real chromium, a service with a mail server, and the cookie of whoever has signed in.

The service ends with its module: a second worker beside the session's would take the jobs of other tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, Page

from tests.browser import chromium
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.console import people
from tests.console.people import Office, office
from tests.live import Service, free_port, running_service

Value = TypeVar("Value")

MISSING = "no chromium on the PATH (Debian and Ubuntu: apt install chromium)"


@dataclass(frozen=True, slots=True)
class Website:
    service: Service
    mailbox: Mailbox

    @property
    def url(self) -> str:
        return self.service.url


@pytest.fixture(scope="module")
def website(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    with open_website(tmp_path_factory.mktemp("website")) as website:
        yield website


@contextmanager
def open_website(folder: Path, **environment: str) -> Iterator[Website]:
    """The service, with variables of its own if need be."""
    if chromium.PATH is None:
        pytest.skip(MISSING)
    database, port = settings.DATABASES["default"], free_port()
    with (
        open_mailbox() as mailbox,
        running_service(
            folder,
            port=port,
            DATABASE_URL=f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}",
            REDIS_URL=settings.REDIS_URL,
            SECRET_KEY=settings.SECRET_KEY,
            API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
            PUBLIC_URL=f"http://127.0.0.1:{port}",
            EMAIL_URL=mailbox.url,
            **environment,
        ) as service,
    ):
        yield Website(service, mailbox)


@pytest.fixture
def chrome(website: Website) -> Iterator[Browser]:
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
def page(website: Website, session: str, chrome: Browser) -> Page:
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


def signed_in(website: Website, session: str) -> dict[str, Any]:
    """The cookie of a session."""
    return {"name": "sessionid", "value": session, "url": website.url}
