"""axe-core (https://github.com/dequelabs/axe-core) finds nothing serious on any page, and none is too wide."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from billing import budgets
from billing.alerts import rules, webhooks
from billing.models import AlertDelivery, Budget
from tests.browser.conftest import Website, signed_in
from tests.console import people

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
"""Version 4.14.1, under the Mozilla Public License 2.0."""
FIND = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(
    found => found.violations.filter(each => ["serious", "critical"].includes(each.impact)).map(each =>
        each.id + ": " + each.nodes.map(node => node.html).join("\\n    ")))"""


OWN = (
    *(
        "",
        "start",
        "playground",
        "usage?by=key",
        "usage?range=x",
        "requests",
        "requests?voice=none",
        "requests/{request}",
    ),
    *("keys", "keys/new", "keys/{key}", "billing", "billing/payment", "alerts", "members", "settings", "activity"),
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


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose session, and the pages."""

    session: str
    pages: tuple[str, ...]


@pytest.fixture
def visit(committed: None) -> Visit:
    """A customer whose calls were all refused: others would have to be in the ledger."""
    office = people.office(uuid4().hex)
    row = people.called(office, status=429)
    alerts(office)
    own = (office.path(page).format(request=f"req_{row.id.hex}", key=office.key.named) for page in OWN)
    return Visit(people.browser(office.owner).cookies["sessionid"].value, (*own, *ACCOUNT))


def alerts(of: people.Office) -> None:
    """A webhook, and a message that it took and one that it did not."""
    budgets.put(organization=of.organization, period=Budget.Period.MONTH, amount=Decimal(10))
    rules.put(organization=of.organization, rules=rules.Rules(percents=(50, 80), credit=Decimal("0.5")))
    endpoint, _ = webhooks.add(organization=of.organization, url=f"https://{uuid4().hex}.example/{'path/' * 20}")
    message = {"organization": of.organization, "endpoint": endpoint, "ended_at": timezone.now()}
    AlertDelivery.objects.create(**message, state=AlertDelivery.State.DELIVERED, attempts=1)
    AlertDelivery.objects.create(**message, state=AlertDelivery.State.DEAD, attempts=5, error="answered 500")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_nothing_serious(
    website: Website, visit: Visit, chrome: Browser, scheme: Literal["light", "dark"], width: int
) -> None:
    found = []
    for session, pages in ((visit.session, visit.pages), (None, PUBLIC)):
        context = chrome.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, base_url=website.url
        )
        if session:
            context.add_cookies([signed_in(website, session)])
        page = context.new_page()
        for path in pages:
            page.goto(path)
            page.evaluate(AXE)
            found += [f"{path} {problem}" for problem in page.evaluate(FIND)]
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if overflow > 0:
                found.append(f"{path} is {overflow} px wider than the screen")
    assert not found, "\n".join(found)


def test_the_keyboard_reaches_the_content_first(website: Website, visit: Visit, chrome: Browser) -> None:
    context = chrome.new_context(base_url=website.url)
    context.add_cookies([signed_in(website, visit.session)])
    page = context.new_page()
    page.goto(visit.pages[0])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
