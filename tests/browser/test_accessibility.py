"""axe-core (https://github.com/dequelabs/axe-core) finds nothing serious; no page is too wide or too heavy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts import visits
from billing import budgets
from billing.alerts import rules
from billing.models import Budget, StripeEvent
from console import announcements
from console.models import Announcement
from inference import custom_voices
from operations import roles
from tests.browser.conftest import signed_in
from tests.console import people
from tests.console.test_batches import batch_of
from tests.live import Service
from webhooks import endpoints
from webhooks.models import Delivery

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
"""Version 4.14.1, under the Mozilla Public License 2.0."""
MOST_BYTES = 450_000
"""The reference alone has 374 kB: every route, its errors and samples."""
FIND = """() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    resultTypes: ["violations"],
    selectors: false,
}).then(
    found => found.violations.filter(each => ["serious", "critical"].includes(each.impact)).map(each =>
        each.id + ": " + each.nodes.map(node => node.html).join("\\n    ")))"""
"""No selectors, nor anything of what is right: to write those down takes axe longer than to judge."""

OWN = (
    *(
        "",
        "start",
        "playground",
        "voices",
        "playground/written",
        "pronunciation",
        "usage?by=key",
        "usage?range=x",
        "requests",
        "requests?voice=none",
        "requests/{request}",
    ),
    *("batches", "keys", "keys/new", "keys/{key}", "billing", "billing/payment", "alerts"),
    *("members", "settings", "activity"),
)
ACCOUNT = ("/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/2fa/totp/activate/")
PUBLIC = (
    "/",
    "/reference",
    "/status",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/nothing",
    "/invitations/x",
)


ADMIN = (
    "/admin/",
    "/admin/reports/?report=prepaid",
    "/admin/accounts/organization/",
    "/admin/accounts/organization/{organization}/change/",
    "/admin/accounts/organization/{organization}/visit/",
    "/admin/console/announcement/publish/",
)
"""One of each kind: our own pages, a list, a row, an act."""


Screen = tuple[Literal["light", "dark"], int]
SCREENS: list[Screen] = [("light", 1440), ("dark", 390)]


@dataclass(frozen=True, slots=True)
class Tour:
    """Whose session, and the pages."""

    session: str
    pages: tuple[str, ...]


@pytest.fixture
def tour(committed: None) -> Tour:
    """A customer whose calls were all refused: others would have to be in the ledger."""
    office = people.office(uuid4().hex)
    row = people.called(office, status=429)
    alerts(office)
    consent = custom_voices.create_consent(
        office.organization.id, name="Ada", language="en", text="I consent.", recording=b"fLaC"
    )
    custom_voices.create(office.organization.id, name="Ada", consent_id=consent.id, sample=b"fLaC")
    batch_of(office, state="failed", ended_at=timezone.now())
    own = (office.path(page).format(request=f"req_{row.id.hex}", key=office.key.named) for page in OWN)
    return Tour(people.browser(office.owner).cookies["sessionid"].value, (*own, *ACCOUNT))


def alerts(of: people.Office) -> None:
    """A webhook, and a message that it took and one that it did not."""
    budgets.put(organization=of.organization, period=Budget.Period.MONTH, amount=Decimal(10))
    rules.put(organization=of.organization, rules=rules.Rules(percents=(50, 80), credit=Decimal("0.5")))
    endpoint, _ = endpoints.add(organization=of.organization, url=f"https://{uuid4().hex}.example/{'path/' * 20}")
    message = {"organization": of.organization, "endpoint": endpoint, "ended_at": timezone.now()}
    Delivery.objects.create(**message, state=Delivery.State.DELIVERED, attempts=1)
    Delivery.objects.create(**message, state=Delivery.State.DEAD, attempts=5, error="answered 500")


@pytest.fixture
def rounds(committed: None) -> Iterator[Tour]:
    """One of the operator's people, in the admin and on a visit, while something is announced and alarming."""
    office, operator = people.office(uuid4().hex), people.person(f"{uuid4().hex}@speech.example")
    roles.appoint(operator, roles.Role.OPERATIONS)
    Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data={})
    visits.begin(operator=operator, organization=office.organization, reason="the tour")
    now = timezone.now()
    announcement = announcements.publish(
        title="Work on Sunday",
        text="More on https://status.example/",
        level=Announcement.Level.WARNING,
        starts_at=now,
        ends_at=now + timedelta(hours=1),
    )
    alarm = StripeEvent.objects.create(id=uuid4().hex, type="x", subject="y", state="dead", created_at=now)
    pages = (page.format(organization=office.organization.pk) for page in ADMIN)
    yield Tour(
        people.browser(operator).cookies["sessionid"].value,
        (*pages, office.path("keys"), office.path("playground")),
    )
    announcements.end(announcement)
    alarm.delete()


def test_nothing_serious(website: Service, tour: Tour, chrome: Browser) -> None:
    page = look(website, chrome, tour.session)
    found = [*problems(page, tour.pages, SCREENS), *problems(look(website, chrome, None), PUBLIC, SCREENS)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_serious_for_operators(website: Service, rounds: Tour, chrome: Browser, screen: Screen) -> None:
    """Each page is loaded for the screen: the admin's script would follow another in its own time."""
    page = look(website, chrome, rounds.session)
    show(page, screen)
    found = [*problems(page, rounds.pages, [screen])]
    page.goto(next(path for path in rounds.pages if path.endswith("/visit/")))
    page.get_by_role("button", name="Visit the console").click()
    expect(page.get_by_role("alert")).to_have_text("This field is required.")
    found += judge(page, "a refused act", [screen])
    assert not found, "\n".join(found)


def look(website: Service, chrome: Browser, session: str | None) -> Page:
    context = chrome.new_context(base_url=website.url)
    if session:
        context.add_cookies([signed_in(website, session)])
    return context.new_page()


def show(page: Page, screen: Screen) -> None:
    scheme, width = screen
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})


def problems(page: Page, paths: tuple[str, ...], screens: list[Screen]) -> Iterator[str]:
    for path in paths:
        page.goto(path)
        yield from judge(page, path, screens)


def judge(page: Page, name: str, screens: list[Screen]) -> Iterator[str]:
    """What is wrong with the page as it stands now."""
    page.evaluate(AXE)
    for scheme, width in screens:
        show(page, (scheme, width))
        yield from (f"{name} {scheme} {problem}" for problem in page.evaluate(FIND))
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            yield f"{name} is {overflow} px wider than a screen of {width} px"


def test_no_page_is_heavy(website: Service, tour: Tour, chrome: Browser) -> None:
    """With its style sheets and scripts, for somebody who has none of them yet."""
    page = look(website, chrome, tour.session)
    network, received = page.context.new_cdp_session(page), [0]
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    network.on("Network.loadingFinished", lambda loaded: received.append(loaded["encodedDataLength"]))
    for path in (*tour.pages, *PUBLIC):
        received.clear()
        page.goto(path)
        assert 5_000 < sum(received) < MOST_BYTES, path


def test_the_keyboard_reaches_the_content_first(website: Service, tour: Tour, chrome: Browser) -> None:
    context = chrome.new_context(base_url=website.url)
    context.add_cookies([signed_in(website, tour.session)])
    page = context.new_page()
    page.goto(tour.pages[0])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_overview_is_shown_anew_without_a_reload(website: Service, rounds: Tour, chrome: Browser) -> None:
    page = look(website, chrome, rounds.session)
    page.clock.install()
    page.goto("/admin/")
    mark = "document.querySelectorAll('#overview, body').forEach(each => { each.dataset.seen = 'yes' })"
    page.evaluate(mark)
    page.get_by_role("region", name="Workers").focus()
    page.clock.run_for(20_000)
    expect(page.locator("#overview")).to_have_attribute("data-seen", "yes")
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(20_000)
    expect(page.locator("#overview")).not_to_have_attribute("data-seen", "yes")
    expect(page.locator("body")).to_have_attribute("data-seen", "yes")
