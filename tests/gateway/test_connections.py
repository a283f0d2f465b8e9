"""What connects to the database stays connected: a new connection costs a short request as long again."""

from __future__ import annotations

from django.db import connection
from openai import OpenAI

from tests.gateway.speaking import ask, scripted

REQUESTS = 12


def connections_made() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
        (made,) = cursor.fetchone()
        return int(made)


def test_a_request_opens_no_connection_of_its_own(client: OpenAI) -> None:
    for _ in range(3):
        ask(client, scripted(1))
    before = connections_made()
    for _ in range(REQUESTS):
        ask(client, scripted(1))
    # A thread of the worker's pool, or the gateway's second connection, may still be used for the first time.
    assert connections_made() - before < REQUESTS / 3
