"""The request log: filters, search, pages that lose and repeat nothing, how a cost comes about, the audio."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from accounts import keys
from console import formatting
from console.timings import timings_of
from inference import assets
from inference.models import AudioAsset, SynthesisJob
from tests.console.people import Office, browser, called
from usage import request_search
from usage.models import RequestLog
from usage.request_search import Search

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
SOUND = bytes(range(256)) * 4


def listed(office: Office, query: str = "") -> list[str]:
    html = browser(office.owner).get(office.path(f"requests{query}")).content.decode()
    return re.findall(r'requests/req_([0-9a-f]{32})"', html)


def test_filters(acme: Office) -> None:
    staging, _ = keys.create(organization=acme.organization, name="staging")
    plain = called(acme, at=NOON)
    nova = called(acme, at=NOON + timedelta(days=1), voice="nova")
    refused = called(acme, at=NOON + timedelta(days=2), status=429)
    other_key = called(acme, at=NOON + timedelta(days=3), key=staging)
    every = [other_key, refused, nova, plain]
    for query, found in {
        "": every,
        "?outcome=failed": [refused],
        "?outcome=ok": [other_key, nova, plain],
        "?voice=nova": [nova],
        f"?key={staging.named}": [other_key],
        "?from=2026-11-06&to=2026-11-07": [refused, nova],
        "?outcome=ok&voice=alloy&to=2026-11-05": [plain],
        "?from=yesterday&outcome=what&key=sk-none&after=here": every,
    }.items():
        assert listed(acme, query) == [row.id.hex for row in found], query


def test_pages_lose_and_repeat_nothing(acme: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_search, "PAGE_SIZE", 7)
    for number in range(30):  # of which many share their microsecond
        called(acme, at=NOON + timedelta(microseconds=number // 10))
    found: list[Any] = []
    search = Search(organization_id=acme.organization.id)
    while True:
        page, following = request_search.find(search)
        found += page
        if following is None:
            break
        text = str(following)
        search = Search(organization_id=acme.organization.id, after=request_search.Cursor.parse(text))
    expected = sorted(RequestLog.objects.all(), key=lambda row: (row.created_at, row.id), reverse=True)
    assert [row.id for row in found] == [row.id for row in expected]
    assert len(listed(acme)) == 7


def test_an_id_leads_to_its_request(acme: Office, rival: Office) -> None:
    row, others = called(acme), called(rival)
    client = browser(acme.owner)
    path = acme.path(f"requests/req_{row.id.hex}")
    assert client.get(acme.path(f"requests?id=req_{row.id.hex}")).url == path
    for wrong in (f"req_{others.id.hex}", "req_nonsense", row.id.hex):
        answer = client.get(acme.path(f"requests?id={wrong}"))
        assert answer.status_code == 200
        assert "No request" in answer.content.decode()


def test_how_a_cost_comes_about(acme: Office) -> None:
    row = called(acme, frames=81)
    html = browser(acme.owner).get(acme.path(f"requests/req_{row.id.hex}")).content.decode()
    assert "77,760 samples at 24,000 per second = 3,240 ms" in html
    assert "3240 ms × $0.045 ÷ 60,000 ms = $0.002430000" in html


def test_a_refused_request_says_why_and_that_it_is_free(acme: Office) -> None:
    row = called(acme, status=429)
    html = browser(acme.owner).get(acme.path(f"requests/req_{row.id.hex}")).content.decode()
    assert "<code>rate_limit_exceeded</code>" in html
    assert "You were not billed" in html
    assert "No audio was billed" in html


def test_a_request_that_was_cut_off_says_what_it_cost(acme: Office) -> None:
    row = called(acme, status=499, frames=19)
    html = browser(acme.owner).get(acme.path(f"requests/req_{row.id.hex}")).content.decode()
    assert "<code>client_closed</code>. You were billed $0.00057 for the audio that was delivered." in html
    assert "760 ms × $0.045 ÷ 60,000 ms = $0.000570000" in html
    before_settlement = called(acme, status=499, frames=19, cost=None)
    html = browser(acme.owner).get(acme.path(f"requests/req_{before_settlement.id.hex}")).content.decode()
    assert "You were billed $0.00057" in html


def test_a_repeated_answer_costs_nothing(acme: Office) -> None:
    row = called(acme, cost=Decimal(0))
    html = browser(acme.owner).get(acme.path(f"requests/req_{row.id.hex}")).content.decode()
    assert "$0. This request returned the audio of an earlier one again." in html
    assert "÷ 60,000 ms" not in html


def test_one_who_hung_up_sees_what_that_cost(acme: Office) -> None:
    row = called(acme, frames=50)
    gone = called(acme, status=499, error_code="client_closed", job_id=row.job_id, cost=row.cost)
    late = called(acme, status=499, error_code="client_closed", job_id=row.job_id, cost=None)
    free = called(acme, status=499, error_code="client_closed", cost=Decimal(0))
    billed = f"You were billed {formatting.small_cost(row.cost)} for the audio that was delivered."
    for each, said in ((gone, billed), (late, billed), (free, "You were not billed.")):
        page = browser(acme.owner).get(acme.path(f"requests/req_{each.id.hex}")).content.decode()
        assert said in page
        assert ("You were not billed." in page) is (each is free)


def test_the_page_shows_what_the_error_said(acme: Office) -> None:
    row = called(acme, status=400, error_message="Invalid voice 'hal'.", error_param="audio.voice")
    page = browser(acme.owner).get(acme.path(f"requests/req_{row.id.hex}")).content.decode()
    assert "Invalid voice &#x27;hal&#x27;." in page
    assert "<code>audio.voice</code>" in page


def test_the_pieces_of_the_time_are_the_whole() -> None:
    row = RequestLog(queue_ms=12, first_audio_ms=90, synthesis_ms=360, total_ms=400)
    pieces = timings_of(row)
    assert [(piece.name, piece.ms) for piece in pieces] == [
        ("Queue", 12),
        ("To first audio", 90),
        ("Speaking", 270),
        ("Gateway", 28),
    ]
    assert pieces[0].x == 0
    assert all(left.x + left.width == right.x for left, right in pairwise(pieces))
    assert pieces[-1].x + pieces[-1].width == 1000
    [alone] = timings_of(RequestLog(total_ms=0))
    assert (alone.name, alone.ms) == ("Gateway", 0)


@pytest.fixture
def spoken(acme: Office) -> RequestLog:
    """A request whose audio lives."""
    row = called(acme)
    assert row.job_id is not None
    now = timezone.now()
    SynthesisJob.objects.create(
        id=row.job_id,
        organization=acme.organization,
        api_key=acme.key,
        state="succeeded",
        model=row.model,
        voice=row.voice,
        format="wav",
        sampling={},
        max_frames=50,
        created_at=now,
        enqueued_at=now,
        deadline_at=now,
        finished_at=now,
    )
    AudioAsset.objects.create(
        job_id=row.job_id,
        organization=acme.organization,
        path=assets.save(row.job_id, 1, "wav", SOUND),
        content_type="audio/wav",
        size=len(SOUND),
        samples=48_000,
        receipt={},
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return row


def test_the_audio_is_played_whole_and_in_part(acme: Office, spoken: RequestLog) -> None:
    client, path = browser(acme.owner), acme.path(f"requests/req_{spoken.id.hex}")
    assert f'<audio controls preload="metadata" src="{path}/audio">' in client.get(path).content.decode()
    whole = client.get(f"{path}/audio")
    assert (whole.content, whole.headers["content-type"]) == (SOUND, "audio/wav")
    part = client.get(f"{path}/audio", headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, SOUND[4:8])
    assert part.headers["content-range"] == "bytes 4-7/1024"
    assert client.get(f"{path}/audio", headers={"range": "bytes=9999-"}).status_code == 416
    saved = client.get(f"{path}/audio?download")
    assert saved.headers["content-disposition"] == f'attachment; filename="req_{spoken.id.hex}.wav"'


def expire(row: RequestLog) -> None:
    AudioAsset.objects.update(expires_at=timezone.now())


def purge(row: RequestLog) -> None:
    assert row.job_id is not None
    assets.purge(row.job_id)


def lose(row: RequestLog) -> None:
    assets.discard(AudioAsset.objects.get().path)


@pytest.mark.parametrize("end", [expire, purge, lose])
def test_audio_that_is_gone_is_not_found(
    acme: Office, spoken: RequestLog, end: Callable[[RequestLog], None]
) -> None:
    end(spoken)
    client, path = browser(acme.owner), acme.path(f"requests/req_{spoken.id.hex}")
    assert client.get(f"{path}/audio").status_code == 404
    if end is not lose:
        assert "has expired or was deleted" in client.get(path).content.decode()


def test_a_role_that_does_not_listen_gets_no_player(acme: Office, spoken: RequestLog) -> None:
    viewer = browser(acme.join("viewer@acme.example", "viewer"))
    html = viewer.get(acme.path(f"requests/req_{spoken.id.hex}")).content.decode()
    assert "<audio" not in html
    assert "Your role can't play audio" in html
