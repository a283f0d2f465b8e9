"""`python -m tests.browser.screenshots FOLDER`: each page at two widths, light and dark, of a made-up customer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import environment  # sets VAR_DIR before Django reads it

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts import invitations, keys, visits  # noqa: E402
from accounts.models import Membership, User  # noqa: E402
from billing import budgets, ledger, verification  # noqa: E402
from billing.models import Budget  # noqa: E402
from config.embedded import EmbeddedPostgres, EmbeddedValkey  # noqa: E402
from gateway import rollups  # noqa: E402
from operations import roles  # noqa: E402
from tests.browser.chromium import chromium  # noqa: E402
from tests.console.people import Office, browser, history, office, person  # noqa: E402
from tests.gateway.speaking import body  # noqa: E402
from tests.live import Service, running_service  # noqa: E402

WIDTHS = {"wide": 1440, "phone": 390}
SCHEMES = ("light", "dark")
HEIGHT = 900


def main(folder: Path) -> None:
    var_dir = Path(environment.VAR_DIR)
    servers = EmbeddedPostgres(var_dir), EmbeddedValkey(var_dir)
    for server in servers:
        server.start()
    try:
        call_command("migrate", verbosity=0)
        with TemporaryDirectory() as logs, running_service(Path(logs)) as service:
            _shoot(service, folder, _pages(service))
    finally:
        for server in reversed(servers):
            server.stop()


def _pages(service: Service) -> dict[str, tuple[str, User | None]]:
    """Page name -> path and who looks."""
    acme, fresh = office("Acme", "250.00"), office("Newcomer")
    history(acme, 60, 9)
    acme.join("ana@acme.example", Membership.Role.DEVELOPER)
    acme.join("bill@acme.example", Membership.Role.BILLING)
    invitations.create(
        organization=acme.organization, email="vera@acme.example", role=Membership.Role.VIEWER, by=acme.actor
    )
    ledger.top_up(organization=acme.organization, amount=100, cause="wire-4711")
    month = Budget.Period.MONTH
    budgets.put(organization=acme.organization, period=month, amount=100)
    budgets.put(organization=acme.organization, api_key_id=acme.key.id, period=month, amount=5)
    spoken = _speak(service, acme)
    own = {name: (acme.path(path), acme.owner) for name, path in {
        "overview": "", "start": "start", "playground": "playground",
        "usage": "usage", "usage-by-voice": "usage?by=voice&range=90d",
        "requests": "requests", "requests-none": "requests?voice=verse&from=2020-01-01&to=2020-01-02",
        "request": f"requests/{spoken}", "keys": "keys", "key-new": "keys/new", "key": f"keys/{acme.key.named}",
        "billing": "billing", "payment": "billing/payment",
        "members": "members", "activity": "activity", "settings": "settings",
    }.items()}  # fmt: skip
    return own | {
        "home": ("/", None),
        "reference": ("/reference", None),
        "sign-in": ("/accounts/login/", None),
        "sign-up": ("/accounts/signup/", None),
        "first-steps": (fresh.path("start"), fresh.owner),
        "keys-none": (fresh.path("requests"), fresh.owner),
        "sign-up-sent": ("/accounts/confirm-email/", None),
        "reset": ("/accounts/password/reset/", None),
        "authenticator": ("/accounts/2fa/totp/activate/", acme.owner),
        "account": ("/accounts/email/", acme.owner),
        "two-factor": ("/accounts/2fa/", acme.owner),
        "not-found": ("/nothing/here", None),
        **_operators(acme),
    }


def _operators(acme: Office) -> dict[str, tuple[str, User | None]]:
    """The admin's pages, as one of the operator's people sees them."""
    olga = person("olga@speech.example")
    roles.appoint(olga, roles.Role.BILLING)
    Authenticator.objects.create(user=olga, type=Authenticator.Type.TOTP, data={})
    rollups.refresh_all()
    verification.publish()
    customer = f"/admin/accounts/organization/{acme.organization.pk}"
    paths = {
        "admin": "/admin/",
        "admin-customers": "/admin/accounts/organization/",
        "admin-customer": f"{customer}/change/",
        "admin-credit": f"{customer}/give-credit/",
        "admin-requests": "/admin/gateway/requestlog/",
        "admin-ledger": "/admin/billing/ledgertransaction/",
        "admin-reports": "/admin/reports/?report=prepaid",
    }
    return {name: (path, olga) for name, path in paths.items()} | _visits(acme)


def _visits(acme: Office) -> dict[str, tuple[str, User | None]]:
    """A customer's console under the banner of a visit, and what a visit and an announcement begin with."""
    sam = person("sam@speech.example")
    roles.appoint(sam, roles.Role.SUPPORT)
    Authenticator.objects.create(user=sam, type=Authenticator.Type.TOTP, data={})
    visits.begin(operator=sam, organization=acme.organization, reason="the charts look odd")
    paths = {
        "visit": acme.path(),
        "visit-refused": acme.path("playground"),
        "admin-visit": f"/admin/accounts/organization/{acme.organization.pk}/visit/",
        "admin-announce": "/admin/console/announcement/publish/",
    }
    return {name: (path, sam) for name, path in paths.items()}


def _speak(service: Service, of: Office) -> str:
    """One real call; its request's id."""
    import httpx

    _, secret = keys.create(organization=of.organization, name="laptop")
    answer = httpx.post(
        f"{service.url}/v1/chat/completions",
        json=body("Good evening. Here is the news, read for you by a machine."),
        headers={"authorization": f"Bearer {secret}"},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.headers["x-request-id"])


def _shoot(service: Service, folder: Path, pages: dict[str, tuple[str, User | None]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Before the browser starts: Playwright's event loop keeps Django's database away.
    cookies = {user: _session(service, user) for _, user in pages.values() if user is not None}
    with chromium() as chrome:
        for scheme in SCHEMES:
            for name, width in WIDTHS.items():
                for page_name, (path, user) in pages.items():
                    context = chrome.new_context(
                        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, base_url=service.url
                    )
                    if user is not None:
                        context.add_cookies([cookies[user]])
                    page = context.new_page()
                    page.goto(path)
                    page.screenshot(path=folder / f"{page_name}-{name}-{scheme}.png", full_page=True)
                    context.close()
    print(f"{len(pages) * len(WIDTHS) * len(SCHEMES)} screenshots in {folder}")


def _session(service: Service, user: User) -> dict[str, Any]:
    """The cookie of a person who has signed in."""
    return {"name": "sessionid", "value": browser(user).cookies["sessionid"].value, "url": service.url}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
