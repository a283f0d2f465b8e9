"""`python -m tests.browser.screenshots FOLDER [PAGE…]`: its pages at two widths, light and dark."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import environment  # sets VAR_DIR before Django reads it

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db.models.functions import Now  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import invitations, keys, visits  # noqa: E402
from accounts.models import Membership, User  # noqa: E402
from billing import budgets, ledger, verification  # noqa: E402
from billing.alerts import detection  # noqa: E402
from billing.alerts import rules as alert_rules  # noqa: E402
from billing.models import Budget, BudgetPeriod  # noqa: E402
from gateway.models import File, SpeechBatch  # noqa: E402
from inference import custom_voices  # noqa: E402
from inference.models import AudioAsset  # noqa: E402
from launch.embedded import EmbeddedPostgres, EmbeddedValkey  # noqa: E402
from operations import roles  # noqa: E402
from status.models import Day, Outage  # noqa: E402
from status.probes import INTERVAL_SECONDS, KINDS, Probe  # noqa: E402
from status.recording import record  # noqa: E402
from tests.browser.chromium import chromium  # noqa: E402
from tests.console.people import Office, browser, history, office, person  # noqa: E402
from tests.gateway.recorded import syllables  # noqa: E402
from tests.gateway.speaking import body  # noqa: E402
from tests.live import Service, running_service  # noqa: E402
from usage import rollups  # noqa: E402
from webhooks import endpoints  # noqa: E402
from webhooks.models import Delivery, WebhookEndpoint  # noqa: E402

WIDTHS = {"wide": 1440, "phone": 390}
SCHEMES = ("light", "dark")
HEIGHT = 900


def main(folder: Path, *wanted: str) -> None:
    var_dir = Path(environment.VAR_DIR)
    servers = EmbeddedPostgres(var_dir), EmbeddedValkey(var_dir)
    for server in servers:
        server.start()
    try:
        call_command("migrate", verbosity=0)
        with TemporaryDirectory() as logs, running_service(Path(logs)) as service:
            pages = _pages(service)
            _shoot(service, folder, {name: pages[name] for name in wanted or pages})
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
    _keep_voices(acme)
    _be_probed()
    _alert(acme)
    _batch(acme)
    own = {name: (acme.path(path), acme.owner) for name, path in {
        "overview": "", "start": "start", "playground": "playground", "voices": "voices",
        "usage": "usage", "usage-by-voice": "usage?by=voice&range=90d",
        "requests": "requests", "requests-none": "requests?voice=verse&from=2020-01-01&to=2020-01-02",
        "request": f"requests/{spoken}", "keys": "keys", "key-new": "keys/new", "key": f"keys/{acme.key.named}",
        "billing": "billing", "payment": "billing/payment", "alerts": "alerts", "batches": "batches",
        "members": "members", "activity": "activity", "settings": "settings",
    }.items()}  # fmt: skip
    return own | {
        "home": ("/", None),
        "status": ("/status", None),
        "reference": ("/reference", None),
        "sign-in": ("/accounts/login/", None),
        "sign-up": ("/accounts/signup/", None),
        "first-steps": (fresh.path("start"), fresh.owner),
        "keys-none": (fresh.path("requests"), fresh.owner),
        "alerts-none": (fresh.path("alerts"), fresh.owner),
        "batches-none": (fresh.path("batches"), fresh.owner),
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
        "admin-limits": f"{customer}/set-limits/",
        "admin-price": f"{customer}/set-price/",
        "admin-job": f"/admin/inference/synthesisjob/{AudioAsset.objects.get().pk}/change/",
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


def _keep_voices(of: Office) -> None:
    """A consent and two voices that rest on it."""
    recording = syllables(4)  # a player plays it, whatever it is
    consent = custom_voices.create_consent(
        of.organization.id, name="Ada Lovelace", language="en", text="I consent.", recording=recording
    )
    for name in ("Ada", "Ada, warm"):
        custom_voices.create(of.organization.id, name=name, consent_id=consent.id, sample=recording)


def _be_probed() -> None:
    """Two months of probes, with a bad hour and an outage that lasts."""
    now = timezone.now()
    for kind in KINDS:
        for ago in range(64):
            failures = {9: 40, 30: 180}.get(ago, 0) if kind.name == "speech" else int(ago == 30)
            day = (now - timedelta(days=ago)).date()
            Day.objects.create(component=kind.name, date=day, probes=2880, failures=failures)
        for ago in (3, 2, 1, 0):
            at = now - timedelta(seconds=ago * INTERVAL_SECONDS)
            record(Probe(kind.name, at, kind.name != "speech" or ago > 2))
    began = now - timedelta(days=30)
    Outage.objects.create(component="speech", began_at=began, ended_at=began + timedelta(minutes=95))


def _alert(of: Office) -> None:
    """Thresholds that were passed, a webhook that is on, one that fails, and one that waits for its next try."""
    budget = Budget.objects.get(organization=of.organization, api_key_id=None)
    BudgetPeriod.objects.filter(budget=budget).update(spent=Decimal("83.4127"))
    wanted = alert_rules.Rules(percents=(50, 80, 100), credit=Decimal(500))
    alert_rules.put(organization=of.organization, rules=wanted)
    names = ("hooks.acme.example/speech", "old.acme.example:8443/billing/alerts?token=5f2c")
    on, failing = (endpoints.add(organization=of.organization, url=f"https://{name}")[0] for name in names)
    detection.fire_due()
    ended = Delivery.objects.filter(organization=of.organization)
    ended.exclude(endpoint=failing).update(state="delivered", attempts=1, ended_at=Now())
    ended.filter(endpoint=failing).update(state="dead", attempts=5, error="answered 500", ended_at=Now())
    WebhookEndpoint.objects.filter(pk=failing.pk).update(failing_since=Now())
    later = Now() + timedelta(minutes=10)
    for endpoint in (on, failing):
        endpoints.send_test(endpoint)
    ended.filter(endpoint=failing, source="").update(attempts=1, next_try_at=later, error="no connection")


def _batch(of: Office) -> None:
    """Batches under way, paused, done with some failures, and refused for a line."""
    error = {"code": "unsupported_value", "message": "Invalid voice 'alloi'.", "line": 17, "param": "body.voice"}
    credit = {"code": "insufficient_quota", "message": "You have used up your credit. Top up to go on."}
    kinds: tuple[dict[str, Any], ...] = (
        {"state": "failed", "ended_at": Now(), "errors": [error]},
        {"state": "completed", "ended_at": Now(), "total": 2400, "completed": 2391, "failed": 9},
        {"state": "in_progress", "total": 800, "completed": 120, "paused": credit},
        {"state": "in_progress", "total": 50_000, "completed": 18_250, "failed": 3},
    )
    later = timezone.now() + timedelta(days=1)
    shared: dict[str, Any] = {"organization": of.organization, "expires_at": later}
    for number, columns in enumerate(kinds):
        file = File.objects.create(
            **shared, purpose="batch", filename=f"chapters-{number}.jsonl", path=f"{number}.jsonl", bytes=9000
        )
        batch = SpeechBatch.objects.create(
            **shared, **columns, api_key=of.key, input_file=file, endpoint="/v1/audio/speech"
        )
        if batch.completed and batch.state == "completed":
            SpeechBatch.objects.filter(pk=batch.pk).update(output_file=file, error_file=file)


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
    main(Path(sys.argv[1]), *sys.argv[2:])
