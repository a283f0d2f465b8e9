"""A real chromium, a service with a mail server, and the cookie of whoever has signed in.

The service ends with its module: a second worker beside the session's would take the jobs of other tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.live import Service, free_port, running_service

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
    if chromium.PATH is None:
        pytest.skip(MISSING)
    database, port = settings.DATABASES["default"], free_port()
    with (
        open_mailbox() as mailbox,
        running_service(
            tmp_path_factory.mktemp("website"),
            port=port,
            DATABASE_URL=f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}",
            REDIS_URL=settings.REDIS_URL,
            SECRET_KEY=settings.SECRET_KEY,
            API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
            PUBLIC_URL=f"http://127.0.0.1:{port}",
            EMAIL_URL=mailbox.url,
        ) as service,
    ):
        yield Website(service, mailbox)


@pytest.fixture
def chrome(website: Website) -> Iterator[Browser]:
    with chromium.chromium() as browser:
        yield browser


def signed_in(website: Website, session: str) -> dict[str, Any]:
    """The cookie of a session."""
    return {"name": "sessionid", "value": session, "url": website.url}
