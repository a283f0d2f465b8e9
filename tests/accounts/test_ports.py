"""Lower rooms ask higher ones through ports, and every port of an installation is served."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.ports import Port
from accounts.visits import may_visit
from billing.invoices.statements import request_ids
from inference.jobs import settlement, settling


def test_a_port_is_the_function_that_was_registered_last() -> None:
    port = Port[[int], str]("writes numbers")
    port.register(str)
    port.register(hex)
    assert port(10) == "0xa"


def test_a_port_that_nobody_serves_says_so() -> None:
    port = Port[[int], str]("writes numbers")
    with pytest.raises(ImproperlyConfigured, match="nothing writes numbers"):
        port(10)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (may_visit, "operations.roles.may_visit"),
        (request_ids, "usage.request_ids.of_jobs"),
        (settlement, "gateway.speech.settlement.settle"),
        (settling, "gateway.speech.settlement.settle_finished"),
    ],
)
def test_the_installed_apps_serve_every_port(port: Port[..., object], expected: str) -> None:
    function = port._function
    assert function is not None
    assert f"{function.__module__}.{function.__name__}" == expected
