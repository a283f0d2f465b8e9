"""EMAIL_URL: what it may say, and what it becomes."""

from __future__ import annotations

import pytest

from config import mail


@pytest.mark.parametrize(
    ("url", "host", "port", "starttls", "tls"),
    [
        ("smtp://mail.example", "mail.example", 25, False, False),
        ("smtp+tls://me:p%40ss@mail.example", "mail.example", 587, True, False),
        ("smtps://me:p%40ss@mail.example:4650", "mail.example", 4650, False, True),
    ],
)
def test_a_url_names_the_server(url: str, host: str, port: int, starttls: bool, tls: bool) -> None:
    settings = mail.parse_url(url)
    assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"]) == (host, port)
    assert (settings["EMAIL_USE_TLS"], settings["EMAIL_USE_SSL"]) == (starttls, tls)
    if "@" in url:
        assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("me", "p@ss")


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtps://:25"])
def test_what_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="EMAIL_URL"):
        mail.parse_url(url)
