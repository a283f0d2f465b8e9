"""Real parts for the whole session: PostgreSQL and Valkey from their wheels, one gateway, one worker.

Tests that talk to the live service see committed rows, so each has a customer of its own instead of a
rollback; tests of a single function use pytest-django's `db`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from openai import OpenAI
from whitenoise.middleware import WhiteNoiseMiddleware

from launch.embedded import EmbeddedPostgres, EmbeddedValkey
from tests import migrated
from tests.environment import VAR_DIR
from tests.live import Service, running_service
from tests.mailbox import Mailbox, open_mailbox


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order and group the tests, before xdist reads their groups.

    What a past costs is measured first: the rows that other tests leave are of this hour, and are read too. The
    training, minutes in one process, comes next: at the end the others would wait for it. Tests that share what
    their file starts, such as a service of its own, run in one process, which starts it once. A group runs as a
    whole, so those that are rolled back, which pytest-django puts first, are a group apart.
    """
    items.sort(key=lambda item: (item.path.name != "test_history.py", item.path.parent.name != "training"))
    for item in items:
        assert isinstance(item, pytest.Function)
        fixtures = item._fixtureinfo.name2fixturedefs.values()
        shared = any(definitions[-1].scope == "module" for definitions in fixtures)
        if shared and item.get_closest_marker("xdist_group") is None:
            rolled_back = "db" if item.get_closest_marker("django_db") else "live"
            item.add_marker(pytest.mark.xdist_group(f"{item.location[0]}-{rolled_back}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the service's processes said lately beside a failure."""
    report = yield
    service = getattr(item, "funcargs", {}).get("service")
    if report.failed and service is not None:
        for part, written in service.logs().items():
            report.sections.append((f"{part}'s log", written[-3000:]))
    return report


class HastyPostgres(EmbeddedPostgres):
    """It survives a kill, which tests do to it, but no power cut: a commit does not wait for the disk."""

    def command(self) -> list[str]:
        return [*super().command(), "-c", "fsync=off"]


@pytest.fixture(scope="session")
def postgres(django_db_blocker: Any) -> Iterator[EmbeddedPostgres]:
    server = HastyPostgres(VAR_DIR)
    with django_db_blocker.unblock():
        migrated.start(server)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def servers(postgres: EmbeddedPostgres) -> Iterator[None]:
    """PostgreSQL and Valkey."""
    valkey = EmbeddedValkey(VAR_DIR)
    valkey.start()
    yield
    valkey.stop()


@pytest.fixture(scope="session")
def django_db_setup(servers: None, django_test_environment: None) -> None:
    """The session's database is the server's own: nothing else is in it. pytest-django would make another."""


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """What the service writes to people."""
    with open_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def service(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, servers: None, mailbox: Mailbox
) -> Iterator[Service]:
    """The running service, over the same database as the tests."""
    name = settings.DATABASES["default"]["NAME"]
    url = f"postgresql://postgres@/{name}?host={settings.DATABASES['default']['HOST']}"
    embedded_redis = settings.REDIS_URL
    with running_service(
        tmp_path_factory.mktemp("service"),
        DATABASE_URL=url,
        REDIS_URL=embedded_redis,
        SECRET_KEY=settings.SECRET_KEY,
        API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
        EMAIL_URL=mailbox.url,
        REQUEST_DEADLINE_SECONDS="40",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def alone(service: Service) -> Iterator[None]:
    """The session's worker is away, for one with a Redis of its own: a worker takes any job of the database."""
    service.kill_worker()
    yield
    service.start_worker()
    service.wait_until_ready()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database as other processes see it: what a test writes stays."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Each of Django's test clients builds the middleware anew, which would look at every static file again."""
    found: dict[str, Any] = {}
    find = WhiteNoiseMiddleware.add_files_from_finders

    def find_once(middleware: Any) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_hashed_quickly() -> Iterator[None]:
    """By the service's own hasher, in fewer rounds: a million and more of them take a third of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
        yield


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization with one key."""

    organization: Any
    key: Any
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}


@pytest.fixture
def new_customer(committed: None) -> Callable[..., Customer]:
    """Make customers, each with an organization, a key and promotional credit."""
    from accounts import keys, organizations
    from billing import ledger

    def make(credit: str = "1.00", **key_options: Any) -> Customer:
        name = uuid4().hex
        organization = organizations.create(name=name, owner_email=f"{name}@example.com")
        if Decimal(credit):
            ledger.grant(organization=organization, amount=Decimal(credit), cause=f"test:{name}")
        key, secret = keys.create(organization=organization, name="test", **key_options)
        return Customer(organization, key, secret)

    return make


@pytest.fixture
def customer(new_customer: Callable[..., Customer]) -> Customer:
    return new_customer()


@pytest.fixture
def client(service: Service, customer: Customer) -> Iterator[OpenAI]:
    """The official client, as a customer has it."""
    with OpenAI(base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0) as openai:
        yield openai


@pytest.fixture
def broker(servers: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as connection:
        yield connection
