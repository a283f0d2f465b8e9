"""Webhooks reach no private address unless the operator says so, and the cloud's metadata never."""

from __future__ import annotations

from typing import Any

import pytest

from config.environment import Environment
from tests.console.people import browser, office
from webhooks import targets
from webhooks.models import WebhookEndpoint

METADATA = (
    "169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "[fd20:ce::254]", "[fe80::a9fe:a9fe]", "metadata.google.internal",
    "metadata.google.internal.", "metadata.goog",
    "instance-data", "instance-data.ec2.internal", "[::ffff:169.254.169.254]", "[2002:a9fe:a9fe::1]",
    "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]", "2852039166", "0xa9fea9fe",
)  # fmt: skip
WRAPPED = ("[::ffff:127.0.0.1]", "[2002:7f00:1::1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[::127.0.0.1]")
PRIVATE = ("127.0.0.1", "10.0.0.1", "192.168.1.1", "[::1]", "[fd12:3456::1]")


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("host", [*METADATA, *WRAPPED])
def test_metadata_is_out_of_reach_in_every_form(settings: Any, host: str, opened: bool) -> None:
    settings.ALERTS_PRIVATE_TARGETS = opened
    with pytest.raises(targets.Refused, match="not an address of the public Internet"):
        targets.resolve(targets.parse(f"https://{host}/latest/meta-data"))


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_the_operators_choice(settings: Any, host: str) -> None:
    settings.ALERTS_PRIVATE_TARGETS = False
    for url in (f"https://{host}/", f"http://{host}/"):
        with pytest.raises(targets.Refused, match="ALERTS_PRIVATE_TARGETS"):
            targets.resolve(targets.parse(url))
    settings.ALERTS_PRIVATE_TARGETS = True
    assert targets.resolve(targets.parse(f"http://{host}/")) == host.strip("[]")


@pytest.mark.parametrize("more", [{}, {"proxies": 1}, {"debug": True}, {"host": "127.0.0.1"}])
def test_nothing_else_opens_them(monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]) -> None:
    monkeypatch.delenv("ALERTS_PRIVATE_TARGETS")
    assert Environment.model_validate(more).alerts_private_targets is False
    assert Environment.model_validate({**more, "alerts_private_targets": "true"}).alerts_private_targets is True


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/hook", "https://127.0.0.1:8001/hook"])
def test_a_newcomer_is_told_of_the_variable(settings: Any, url: str) -> None:
    settings.ALERTS_PRIVATE_TARGETS = False
    acme = office("Acme")
    answer = browser(acme.owner).post(acme.path("alerts/webhooks"), {"url": url})
    assert answer.status_code == 400
    assert "ALERTS_PRIVATE_TARGETS=true" in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()
