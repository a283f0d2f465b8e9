"""The main job through the official client: text in, billed speech out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import numpy as np
import pytest
from openai import OpenAI

from billing.models import Account, LedgerEntry, Reservation, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import ask, audio_of, body, decode, scripted, speak
from tests.live import Service


@pytest.mark.parametrize("format_name", ["wav", "mp3"])
def test_a_sentence_becomes_audio_of_exactly_the_billed_length(client: OpenAI, format_name: str) -> None:
    completion = speak(client, "The quick brown fox.", audio={"voice": "nova", "format": format_name})
    samples, rate, channels = decode(audio_of(completion))
    usage: Any = completion.usage
    assert (rate, channels) == (24_000, 1)
    assert len(samples) == usage.completion_tokens * 960 == round(usage.audio_seconds * 24_000)
    assert Decimal(usage.cost_usd) == usage.completion_tokens * Decimal("0.00003")
    assert 0.5 < usage.audio_seconds < 5
    assert np.sqrt(np.mean(samples**2)) > 0.01, "silence"


def test_the_answer_has_openais_shape(client: OpenAI) -> None:
    completion = speak(client)
    choice = completion.choices[0]
    usage: Any = completion.usage
    assert completion.id.startswith("chatcmpl-")
    assert completion.object == "chat.completion"
    assert completion.model.startswith("hibari-")
    assert completion.model.endswith("(preview)")
    assert (choice.index, choice.finish_reason) == (0, "stop")
    assert choice.message.role == "assistant"
    assert choice.message.audio is not None
    assert choice.message.audio.id.startswith("audio_")
    assert choice.message.audio.transcript == choice.message.content == "Hello there."
    assert choice.message.audio.expires_at - completion.created in range(86_399, 86_420)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.completion_tokens_details.audio_tokens == usage.completion_tokens


@pytest.mark.parametrize(
    ("frames", "cost"),
    [(1, "0.000030000"), (25, "0.000750000"), (375, "0.011250000"), (1500, "0.045000000")],
)
def test_the_price_is_exact(client: OpenAI, customer: Customer, frames: int, cost: str) -> None:
    completion = ask(client, scripted(frames, max_completion_tokens=frames))
    usage: Any = completion.usage
    assert usage.completion_tokens == frames
    assert usage.cost_usd == cost
    record = UsageRecord.objects.get(organization=customer.organization)
    assert (record.samples, record.duration_ms) == (frames * 960, frames * 40)
    assert record.cost == Decimal(cost)


def test_money_moves_once_from_promotional_credit_to_revenue(client: OpenAI, customer: Customer) -> None:
    completion = ask(client, scripted(25))
    account = Account.objects.get(organization=customer.organization)
    assert account.held == 0
    assert account.balance == account.promotional == 1 - Decimal("0.00075")
    entries = LedgerEntry.objects.filter(transaction__organization=customer.organization)
    assert {(e.account, e.amount) for e in entries.filter(transaction__kind="usage")} == {
        ("promotional_credit", Decimal("-0.00075")),
        ("revenue", Decimal("0.00075")),
    }
    assert sum(e.amount for e in entries) == 0
    job_id = completion.id.removeprefix("chatcmpl-")
    assert Reservation.objects.get(job_id=job_id).state == "posted"


def test_max_completion_tokens_cuts_exactly(client: OpenAI) -> None:
    text = "This sentence takes a good deal longer to speak than a single second of audio."
    completion = speak(client, text, max_completion_tokens=25)
    assert completion.choices[0].finish_reason == "length"
    assert len(decode(audio_of(completion))[0]) == 24_000
    older = speak(client, text, max_tokens=10)
    assert older.choices[0].finish_reason == "length"
    assert older.usage is not None
    assert older.usage.completion_tokens == 10


def test_a_cap_that_is_not_reached_is_no_cut(client: OpenAI) -> None:
    assert ask(client, scripted(25, max_completion_tokens=25)).choices[0].finish_reason == "stop"
    assert ask(client, scripted(26, max_completion_tokens=25)).choices[0].finish_reason == "length"


def transcript(client: OpenAI, text: Any, **members: Any) -> str:
    message = speak(client, text, **members).choices[0].message
    assert message.audio is not None
    return message.audio.transcript


def test_the_transcript_is_what_was_spoken(client: OpenAI) -> None:
    spoken = transcript(client, "Dr. Smith paid $3.50 on May 3, 2026.\x07")
    assert spoken.startswith("Doctor Smith paid three dollars")
    assert not any(c.isdigit() for c in spoken)


@pytest.mark.parametrize("stop", ["STOP", ["nothing", "STOP"], ["over", "STOP"]])
def test_a_stop_sequence_ends_the_text_before_it(client: OpenAI, stop: Any) -> None:
    assert transcript(client, "Say this. STOP Not over there.", stop=stop) == "Say this."


def test_the_models_own_end_markers_change_nothing(client: OpenAI) -> None:
    stop = ["<|eot_id|>", "<|end_of_text|>", "<|audio_eos|>"]
    assert transcript(client, "All of it.", stop=stop) == "All of it."


def test_the_last_user_message_is_spoken_and_the_system_message_is_not(client: OpenAI) -> None:
    messages = [
        {"role": "system", "content": "Speak softly."},
        {"role": "user", "content": "First."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": [{"type": "text", "text": "Second, "}, {"type": "text", "text": "whole."}]},
        {"role": "assistant", "content": None},
    ]
    assert transcript(client, "", messages=messages) == "Second, whole."


def test_long_text_is_one_continuous_audio(client: OpenAI) -> None:
    sentence = "Every sentence of a long text follows the one before it without a gap. "
    text = (sentence * 60)[:4096]
    completion = speak(client, text, audio={"voice": "alloy", "format": "wav"})
    samples, *_ = decode(audio_of(completion))
    assert len(samples) > 24_000 * 100
    loud = np.abs(samples[: len(samples) // 2400 * 2400]).reshape(-1, 2400).max(axis=1) > 0.01
    silences = "".join("x" if tenth else " " for tenth in loud).strip().split("x")
    assert max(map(len, silences)) <= 10, "a pause of more than a second"


def test_voices_differ_and_repeat(client: OpenAI) -> None:
    once, again, other = (audio_of(speak(client, audio={"voice": v})) for v in ("onyx", "onyx", "shimmer"))
    assert once == again
    assert once != other


@pytest.mark.parametrize(
    "members",
    [
        {"audio": {"voice": {"id": "echo"}, "format": "wav"}},
        {"temperature": 1.0, "top_p": 0.95, "top_k": 50, "seed": 7, "n": 1, "user": "u", "stream": False},
        {"extra_body": {"top_k": 50}},
        {"extra_body": None},
        {"metadata": {"a": "b"}, "store": True, "service_tier": "auto", "tools": [], "logprobs": None},
        {"modalities": ["audio", "text"]},
    ],
)
def test_what_openai_knows_is_accepted(service: Service, customer: Customer, members: dict[str, Any]) -> None:
    answer = httpx.post(
        f"{service.url}/v1/chat/completions", json=body("Hi.", **members), headers=customer.headers, timeout=30
    )
    assert answer.status_code == 200, answer.text[:500]


def test_what_the_request_asks_reaches_the_job_and_its_text_does_not_stay(
    client: OpenAI, customer: Customer
) -> None:
    completion = speak(client, "A secret.", temperature=0.5, extra_body={"top_k": 7}, seed=3)
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert job.sampling == {"temperature": 0.5, "top_k": 7, "seed": 3}
    assert (job.state, job.attempt, job.text, job.style) == ("succeeded", 1, "", "")
    assert completion.id == f"chatcmpl-{job.id.hex}"
    assert job.api_key_id == customer.key.id


def test_the_literal_extra_body_of_the_curl_example_counts(service: Service, customer: Customer) -> None:
    request = body("Hi.", extra_body={"top_k": 9})
    answer = httpx.post(f"{service.url}/v1/chat/completions", json=request, headers=customer.headers, timeout=30)
    assert answer.status_code == 200
    assert SynthesisJob.objects.get(organization=customer.organization).sampling == {"top_k": 9}
