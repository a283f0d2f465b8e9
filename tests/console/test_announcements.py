"""What the operator announces stands on every page while it lasts, and can be put away."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import OperatorAct
from console import announcements
from console.models import Announcement
from operations.roles import Role
from tests.console.people import Office, browser
from tests.console.test_visits import operator

pytestmark = pytest.mark.django_db
LIST = "admin:console_announcement_changelist"
HOUR = timedelta(hours=1)


def announce(
    title: str = "Work on Sunday", text: str = "Back by nine.", *, begins: int = -1, ends: int = 1
) -> Announcement:
    now = timezone.now()
    return announcements.publish(
        title=title, text=text, level="warning", starts_at=now + begins * HOUR, ends_at=now + ends * HOUR
    )


def shown(client: Client, page: str) -> str:
    return client.get(page).content.decode()


def dismiss(client: Client, announcement: Announcement, back: str) -> str:
    answer = client.post(reverse("announcement_dismiss", args=(announcement.id,)), {"next": back})
    assert answer.status_code == 302
    return str(answer.url)


def test_it_stands_on_the_pages_and_at_the_door(acme: Office) -> None:
    announce()
    client = browser(acme.owner)
    for page in (acme.path("keys"), acme.path("billing"), "/accounts/email/"):
        assert "Work on Sunday" in shown(client, page), page
    assert "Work on Sunday" in shown(Client(), "/accounts/login/")


@pytest.mark.parametrize(("begins", "ends"), [(1, 2), (-2, -1)])
def test_before_and_after_it_is_not_shown(acme: Office, begins: int, ends: int) -> None:
    announce(begins=begins, ends=ends)
    assert "Work on Sunday" not in shown(browser(acme.owner), acme.path("keys"))


def test_its_text_is_text_and_its_addresses_are_links(acme: Office) -> None:
    announce("<b>Bold</b>", "<script>alert(1)</script> javascript:alert(2) See https://status.example/now")
    html = shown(browser(acme.owner), acme.path("keys"))
    assert "&lt;b&gt;Bold&lt;/b&gt;" in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert 'href="https://status.example/now"' in html


def test_one_browser_puts_away_one_announcement(acme: Office) -> None:
    first, second = announce("First"), announce("Second")
    client, page = browser(acme.owner), acme.path("usage") + "?range=7d"
    assert f'value="{page}"' in shown(client, page)
    assert dismiss(client, first, page) == page
    html = shown(client, page)
    assert "First" not in html
    assert "Second" in html
    dismiss(client, second, page)
    assert "announcement" not in shown(client, page)
    assert "First" in shown(browser(acme.owner), page)
    cookie = client.cookies[announcements.COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_dismissal_leads_nowhere_else(acme: Office) -> None:
    announcement = announce()
    client = browser(acme.owner)
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", ""):
        assert dismiss(client, announcement, elsewhere) == "/console"
    assert client.get(reverse("announcement_dismiss", args=(announcement.id,))).status_code == 405
    assert client.post(reverse("announcement_dismiss", args=(uuid4(),))).status_code == 404
    client.cookies[announcements.COOKIE] = "bent.cookie"
    assert "Work on Sunday" in shown(client, acme.path("keys"))


def test_no_dismissal_takes_a_fresh_key_from_the_screen(acme: Office) -> None:
    announce()
    html = browser(acme.owner).post(acme.path("start")).content.decode()
    assert "Work on Sunday" in html
    assert "Dismiss" not in html


# The operator's side


def asked(**changes: str) -> dict[str, str]:
    now = timezone.now()
    return {
        "title": "Prices fall",
        "text": "From Monday on.",
        "level": "info",
        "starts_at": f"{now - HOUR:%Y-%m-%dT%H:%M}",
        "ends_at": f"{now + HOUR:%Y-%m-%dT%H:%M}",
        "reason": "agreed on Friday",
        **changes,
    }


@pytest.mark.parametrize("role", Role)
def test_who_may_publishes_and_ends(acme: Office, role: Role) -> None:
    client = browser(operator("one@speech.example", role))
    way = reverse(LIST) + "publish/"
    if role == Role.BILLING:
        assert client.post(way, asked()).status_code == 403
        assert not Announcement.objects.exists()
        return
    assert client.get(way).status_code == 200
    assert way in shown(client, reverse(LIST))
    assert client.post(way, asked()).url == reverse(LIST)
    customer = browser(acme.owner)
    assert "Prices fall" in shown(customer, acme.path("keys"))
    made = Announcement.objects.get()
    ending = reverse("admin:console_announcement_change", args=(made.id,)).replace("change", "end")
    assert client.post(ending, {"reason": " "}).status_code == 200
    assert "Prices fall" in shown(customer, acme.path("keys"))
    assert client.post(ending, {"reason": "it was wrong"}).status_code == 302
    assert "Prices fall" not in shown(customer, acme.path("keys"))
    assert "has ended" in client.post(ending, {"reason": "again"}).content.decode()
    notes = OperatorAct.objects.filter(what__startswith="announcement").order_by("id")
    assert [note.reason for note in notes] == ["agreed on Friday", "it was wrong"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("ends_at", "2020-01-01T00:00"), ("starts_at", "soon"), ("level", "loud"), ("title", " "), ("reason", "")],
)
def test_what_is_wrong_is_said_at_its_field(field: str, value: str) -> None:
    client = browser(operator("one@speech.example", Role.SUPPORT))
    answer = client.post(reverse(LIST) + "publish/", asked(**{field: value}))
    assert [*answer.context["form"].errors] == [field]
    assert not Announcement.objects.exists()


def test_what_was_published_is_neither_changed_nor_deleted() -> None:
    announcement = announce()
    table = Announcement.objects.filter(id=announcement.id)
    assert announcements.end(announcement)
    for change in (
        lambda: table.update(title="Never said"),
        lambda: table.update(ended_at=None),
        lambda: connection.cursor().execute("DELETE FROM console_announcement"),
    ):
        with pytest.raises(DatabaseError, match="was read by people"), transaction.atomic():
            change()
