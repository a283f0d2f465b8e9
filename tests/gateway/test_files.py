"""Files through the official client: uploaded to the disk, listed, read, deleted and purged."""

from __future__ import annotations

import io
import json
import os
import socket
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from django.core.files.base import ContentFile
from django.db.models import F
from openai import OpenAI

from gateway.batches import files
from gateway.models import File
from tests.conftest import Customer
from tests.gateway.batching import ended, speech_line, start, tone_line, upload
from tests.live import Service


def test_files_are_listed_read_and_deleted(client: OpenAI) -> None:
    first, second = upload(client, [speech_line(1)]), upload(client, [speech_line(2), speech_line(3)])
    assert [file.id for file in client.files.list()] == [second, first]
    assert [file.id for file in client.files.list(order="asc", limit=1).data] == [first]
    assert [file.id for file in client.files.list(order="asc", limit=1)] == [first, second]
    assert [file.id for file in client.files.list(purpose="batch_output")] == []
    file = client.files.retrieve(first)
    assert (file.filename, file.purpose, file.bytes) == (
        "input.jsonl",
        "batch",
        len(json.dumps(speech_line(1))) + 1,
    )
    assert json.loads(client.files.content(first).text) == speech_line(1)
    assert client.files.delete(first).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(first)
    with pytest.raises(openai.NotFoundError):
        client.files.content(first)
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id=first, endpoint="/v1/chat/completions", completion_window="24h")


def test_the_input_of_a_running_batch_stays(client: OpenAI) -> None:
    batch = start(client, [tone_line(number, 100, pace=0.05) for number in range(4)])
    with pytest.raises(openai.ConflictError):
        client.files.delete(batch.input_file_id)
    client.batches.cancel(batch.id)
    ended(client, batch)
    assert client.files.delete(batch.input_file_id).deleted


WRONG_FORMS: dict[str, tuple[dict[str, Any], int, str | None]] = {
    "no file": ({"data": {"purpose": "batch"}, "files": {"other": b"x"}}, 400, "file"),
    "no purpose": ({"files": {"file": ("a.jsonl", b"{}\n")}}, 400, "purpose"),
    "another purpose": (
        {"data": {"purpose": "fine-tune"}, "files": {"file": ("a.jsonl", b"{}\n")}},
        400,
        "purpose",
    ),
    "an empty file": ({"data": {"purpose": "batch"}, "files": {"file": ("a.jsonl", b"")}}, 400, "file"),
    "json": ({"json": {"purpose": "batch"}}, 415, None),
    "cut off": (
        {
            "content": b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
            "headers": {"content-type": "multipart/form-data; boundary=x"},
        },
        400,
        None,
    ),
}


@pytest.mark.parametrize("case", WRONG_FORMS)
def test_a_wrong_form_is_refused_by_its_member(service: Service, customer: Customer, case: str) -> None:
    asked, status, param = WRONG_FORMS[case]
    headers = {**customer.headers, **asked.get("headers", {})}
    answer = httpx.post(f"{service.url}/v1/files", **{**asked, "headers": headers})
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), answer.text


def test_files_are_purged_when_their_time_is_up_but_not_while_they_are_read(client: OpenAI) -> None:
    idle = upload(client, [speech_line(1)])
    batch = start(client, [tone_line(number, 100, pace=0.05) for number in range(4)])
    ids = [name.removeprefix("file-") for name in (idle, batch.input_file_id)]
    File.objects.filter(id__in=ids).update(expires_at=F("created_at"))
    files.purge_expired()
    assert [File.objects.get(id=id).deleted_at is None for id in ids] == [False, True]
    assert not files.store().exists(File.objects.get(id=ids[0]).path)
    client.batches.cancel(batch.id)
    ended(client, batch)
    files.purge_expired()
    assert File.objects.get(id=ids[1]).deleted_at


def test_what_a_killed_gateway_left_is_purged(committed: None) -> None:
    path = files.store().save("0" * 32 + ".jsonl", ContentFile(b"{}"))
    os.utime(files.store().path(path), (0, 0))
    spooled = files.spool_folder() / ("0" * 32)
    spooled.write_bytes(b"half")
    os.utime(spooled, (0, 0))
    assert files.purge_expired() >= 2
    assert not files.store().exists(path)
    assert not spooled.exists()


def peak_kibibytes(service: Service) -> int:
    """The most memory that the gateway has had so far."""
    assert service.gateway
    status = Path(f"/proc/{service.gateway.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def test_an_upload_goes_to_the_disk_and_not_into_memory(service: Service, client: OpenAI) -> None:
    upload(client, [speech_line(1)])
    before = peak_kibibytes(service)
    large = io.BytesIO((json.dumps(speech_line(1)) + "\n").encode() * 500_000)
    file = client.files.create(file=("large.jsonl", large), purpose="batch")
    assert file.bytes == len(large.getbuffer()) > 60_000_000
    assert peak_kibibytes(service) - before < 30_000
    assert client.files.delete(file.id).deleted
    assert list(files.spool_folder().iterdir()) == []


def test_a_file_that_says_it_is_too_large_is_refused_at_once(service: Service, customer: Customer) -> None:
    head = (
        f"POST /v1/files HTTP/1.1\r\nhost: localhost\r\nauthorization: {customer.headers['authorization']}\r\n"
        "content-type: multipart/form-data; boundary=x\r\ncontent-length: 300000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
