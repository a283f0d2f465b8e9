"""Every variable the service reads from its environment, in one place; `.env.example` lists the same names.

A value that cannot be right stops the process at start with a message that names the variable.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds manage.py."""

Seconds = Annotated[float, Field(gt=0)]


def _split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _split_semicolons(value: object) -> object:
    return [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else value


def _parse_peppers(value: object) -> object:
    """Read `1:<hex>,2:<hex>` as {1: b"…", 2: b"…"}; the highest number signs new keys."""
    if not isinstance(value, str) or not value:
        return value or {}
    peppers = {}
    for part in value.split(","):
        match = re.fullmatch(r"(\d{1,4}):((?:[0-9a-fA-F]{2}){32,})", part.strip())
        if match is None:
            raise ValueError("write it as NUMBER:HEX[,NUMBER:HEX…] with at least 32 bytes of hex each")
        peppers[int(match[1])] = bytes.fromhex(match[2])
    return peppers


class Environment(BaseSettings):
    """The environment, parsed. Empty variables count as unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    # Where things are
    var_dir: Path = ROOT / "var"
    database_url: str | None = None
    redis_url: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    allowed_hosts: Annotated[list[str], NoDecode, BeforeValidator(_split_commas)] = [
        "localhost",
        "127.0.0.1",
        "[::1]",
    ]

    # Secrets; made and kept under VAR_DIR when both servers are the embedded ones
    secret_key: SecretStr | None = None
    api_key_peppers: Annotated[dict[int, bytes], NoDecode, BeforeValidator(_parse_peppers)] = Field(
        default_factory=dict, repr=False
    )

    # Behaviour
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    request_deadline_seconds: Seconds = 120
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    audio_ttl_seconds: Annotated[int, Field(ge=1)] = 86_400
    promo_credit_dollars: Annotated[Decimal, Field(ge=0, decimal_places=9)] = Decimal("1.00")
    database_pool_size: Annotated[int, Field(ge=1)] = 8
    request_log_months: Annotated[int, Field(ge=1)] = 13
    metrics_token: SecretStr | None = None

    # Who writes the invoices
    company_name: str = "Speech"
    company_address: Annotated[list[str], NoDecode, BeforeValidator(_split_semicolons)] = []
    company_tax_ids: Annotated[list[str], NoDecode, BeforeValidator(_split_semicolons)] = []
    company_email: str = ""
    company_payment: str = ""
    company_logo: FilePath | None = None

    # Rate limits, where a key or an organization has none of its own
    requests_per_minute: Annotated[int, Field(ge=1)] = 6_000
    audio_seconds_per_minute: Annotated[int, Field(ge=1)] = 60_000
    concurrent_jobs: Annotated[int, Field(ge=1)] = 1_000
    rate_limit_grace_seconds: Annotated[float, Field(ge=0)] = 60

    # Workers
    engine: str = "inference.preview.engine.PreviewEngine"
    worker_concurrency: Annotated[int, Field(ge=1)] = 8
    job_lease_seconds: Seconds = 4

    @property
    def embedded(self) -> bool:
        """Whether PostgreSQL and Valkey are ours to start, from their wheels."""
        return self.database_url is None or self.redis_url is None

    @model_validator(mode="after")
    def _absolute_and_secret(self) -> Self:
        self.var_dir = self.var_dir.expanduser().resolve()
        if not self.embedded and not (self.secret_key and self.api_key_peppers):
            raise ValueError("SECRET_KEY and API_KEY_PEPPERS must be set when DATABASE_URL and REDIS_URL are")
        if self.secret_key and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("SECRET_KEY must have at least 32 characters")
        return self
