"""X-Forwarded-For is believed of our own proxies only: by keys fenced to networks and by the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from accounts.keys import Reach
from config.environment import Environment
from gateway.door import addresses
from tests.conftest import Customer
from tests.gateway.test_reach import NewCustomer
from tests.live import Service, wait_for
from tests.security import services
from usage.models import RequestLog

FENCED = "10.9.8.7"


def gateway(folder: Path, **environment: str) -> Iterator[Service]:
    service = Service(folder, **services.environment(), PROXIES="1", **environment)
    try:
        service.start_gateway()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def behind_proxies(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway whose proxies are elsewhere: whoever connects from here is none of them."""
    yield from gateway(tmp_path_factory.mktemp("elsewhere"), TRUSTED_PROXIES="192.0.2.0/24,2001:db8::/32")


@pytest.fixture(scope="module")
def beside_proxy(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway whose proxy is on the same machine, as the default has it; few requests at once of one client."""
    yield from gateway(tmp_path_factory.mktemp("beside"), MAX_CONNECTIONS_PER_ADDRESS="2", BODY_SECONDS="3")


@pytest.fixture
def fenced(new_customer: NewCustomer) -> Customer:
    return new_customer(reach=Reach(allowed_addresses=(f"{FENCED}/32",)))


def ask(service: Service, customer: Customer, forwarded: str) -> int:
    headers = {**customer.headers, "x-forwarded-for": forwarded}
    return httpx.get(f"{service.url}/v1/usage", headers=headers).status_code


def test_a_direct_connection_does_not_open_a_fenced_key(behind_proxies: Service, fenced: Customer) -> None:
    assert ask(behind_proxies, fenced, FENCED) == 401
    assert ask(behind_proxies, fenced, f"{FENCED}, 192.0.2.1") == 401


def test_our_own_proxy_is_believed(beside_proxy: Service, fenced: Customer) -> None:
    assert ask(beside_proxy, fenced, FENCED) == 200
    assert ask(beside_proxy, fenced, f"{FENCED}, 198.51.100.1") == 401, "the client wrote the first one itself"
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=fenced.organization.id).first())
    assert row.client_address == FENCED


def test_the_pages_see_the_same_address(behind_proxies: Service, beside_proxy: Service) -> None:
    """An address may ask for 20 new passwords a minute, and whoever claims another address each time has one."""
    token = httpx.get(f"{beside_proxy.url}/accounts/password/reset/").cookies["csrftoken"]

    def refused(service: Service, address: str) -> bool:
        answer = httpx.post(
            f"{service.url}/accounts/password/reset/",
            data={"email": f"{uuid4().hex}@example.com", "csrfmiddlewaretoken": token},
            headers={"cookie": f"csrftoken={token}", "x-forwarded-for": address},
        )
        return answer.status_code == 429

    assert not any(refused(beside_proxy, f"198.51.100.{number}") for number in range(24))
    assert any(refused(behind_proxies, f"198.51.100.{number}") for number in range(24))


def test_requests_at_once_are_counted_by_whom_the_proxy_saw(beside_proxy: Service) -> None:
    head = "POST /accounts/login/ HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {}\r\ncontent-length: 9\r\n\r\n"
    with services.connect(beside_proxy) as one, services.connect(beside_proxy) as two:
        for connection in (one, two):
            connection.sendall(head.format("203.0.113.5").encode())

        def third(address: str) -> int:
            return httpx.get(f"{beside_proxy.url}/healthz", headers={"x-forwarded-for": address}).status_code

        assert wait_for(lambda: third("203.0.113.5") == 429)
        assert third("203.0.113.6") == 200
        for connection in (one, two):
            connection.sendall(b"a=b&c=d&e")
    wait_for(lambda: third("203.0.113.5") == 200, what="they have ended")


@pytest.mark.parametrize(
    ("address", "household"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ],
)
def test_an_ipv6_client_has_a_whole_network(address: str, household: str) -> None:
    assert addresses.household(address) == household


def test_who_is_trusted_unless_told_otherwise() -> None:
    assert [str(network) for network in Environment().trusted_proxies] == ["127.0.0.0/8", "::1/128"]
