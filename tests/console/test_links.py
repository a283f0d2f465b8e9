"""The links in e-mails lead to pages of the console."""

from __future__ import annotations

from typing import get_args
from urllib.parse import urlsplit

import pytest

from billing import links
from tests.console.people import Office, browser


@pytest.mark.django_db
@pytest.mark.parametrize("page", get_args(links.Page))
def test_each_page_is_there(acme: Office, page: links.Page) -> None:
    link = urlsplit(links.console(acme.organization.pk, page))
    assert link.scheme in ("http", "https")
    assert browser(acme.owner).get(link.path).status_code == 200
