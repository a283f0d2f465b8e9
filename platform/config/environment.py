"""Every variable the service reads from its environment, in one place; `.env.example` lists the same names.

A value that cannot be right stops the process at start with a message that names the variable.
"""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, FilePath, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from accounts import limits
from config import mail

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds manage.py."""

OPENAI_SPEECH_MODELS = (
    "tts-1",
    "tts-1-hd",
    "gpt-4o-mini-tts",
    "gpt-audio",
    "gpt-audio-mini",
    "gpt-4o-audio-preview",
    "gpt-4o-mini-audio-preview",
)
"""OpenAI's own, which go in January 2027 or have gone: their clients move here by changing a base URL.

Names of their versions and snapshots, such as gpt-audio-1.5, need no entry (see `gateway.catalog`)."""

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

Seconds = Annotated[float, Field(gt=0)]
PriceMultiple = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]


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


def _parse_aliases(value: object) -> object:
    """Read `tts-1=boson/higgs-audio-v2.5,…` as {alias: model}."""
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    if any(not alias or not model for alias, _, model in pairs):
        raise ValueError("write it as ALIAS=MODEL[,ALIAS=MODEL…]")
    return {alias: model for alias, _, model in pairs}


def _parse_origin(value: object) -> object:
    """Read `https://speech.example.com/` as an origin: scheme, host and port, with no path."""
    if not isinstance(value, str):
        return value
    origin = value.rstrip("/")
    if not re.fullmatch(r"https?://[^/?#\s@]+", origin):
        raise ValueError("write it as https://HOST, with no path")
    return origin


class Environment(BaseSettings):
    """The environment, parsed. Empty variables count as unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    # Where things are
    var_dir: Path = ROOT / "var"
    database_url: str | None = None
    web_database_url: str | None = None
    redis_url: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    allowed_hosts: Annotated[list[str], NoDecode, BeforeValidator(_split_commas)] = []
    proxies: Annotated[int, Field(ge=0, le=10)] = 0
    trusted_proxies: Annotated[list[IPvAnyNetwork], NoDecode, BeforeValidator(_split_commas)] = Field(
        default_factory=lambda: [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    )
    public_url: Annotated[str | None, BeforeValidator(_parse_origin)] = None

    # E-mail
    email_url: SecretStr | None = None
    email_from: str = "Speech <speech@localhost>"

    # Signing in with an account of elsewhere
    oidc_issuer: Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$")] = "https://accounts.google.com"
    oidc_name: str = "Google"
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    github_client_id: str | None = None
    github_client_secret: SecretStr | None = None

    # Secrets; made and kept under VAR_DIR when both servers are the embedded ones
    keyless: bool = False
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
    batch_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    batch_price_multiple: PriceMultiple = Decimal("0.5")
    flex_price_multiple: PriceMultiple = Decimal("0.5")
    priority_price_multiple: PriceMultiple = Decimal(2)
    batch_results_ttl_seconds: Annotated[int, Field(ge=3600)] = 7 * 86_400
    promo_credit_dollars: Annotated[Decimal, Field(ge=0, decimal_places=9)] = Decimal("1.00")
    promo_credits_per_network: Annotated[int, Field(ge=1)] = 20
    organizations_per_person: Annotated[int, Field(ge=1)] = 5
    voices_per_organization: Annotated[int, Field(ge=1)] = 20
    alerts_private_targets: bool = False
    operator_ceiling_dollars: Annotated[Decimal, Field(ge=0, decimal_places=2)] = Decimal(1000)
    database_pool_size: Annotated[int, Field(ge=1)] = 4
    pgbouncer: bool = False
    request_log_months: Annotated[int, Field(ge=1)] = 13
    job_days: Annotated[int, Field(ge=35)] = 90
    metrics_token: SecretStr | None = None
    probe_url: Annotated[str | None, BeforeValidator(_parse_origin)] = None
    model_aliases: Annotated[dict[str, str], NoDecode, BeforeValidator(_parse_aliases)] = dict.fromkeys(
        OPENAI_SPEECH_MODELS, "boson/higgs-audio-v2.5"
    )
    cors_allowed_origins: Annotated[list[str], NoDecode, BeforeValidator(_split_commas)] = []

    # What one client of the HTTP server may take
    max_header_bytes: Annotated[int, Field(ge=8_192)] = 32_768
    max_connections: Annotated[int, Field(ge=1)] = 4_096
    max_connections_per_address: Annotated[int, Field(ge=1)] = 1_024
    head_seconds: Seconds = 10
    body_seconds: Seconds = 30
    write_seconds: Seconds = 60
    keep_alive_seconds: Annotated[int, Field(ge=1)] = 30

    # Who writes the invoices
    company_name: str = "Speech"
    company_address: Annotated[list[str], NoDecode, BeforeValidator(_split_semicolons)] = []
    company_tax_ids: Annotated[list[str], NoDecode, BeforeValidator(_split_semicolons)] = []
    company_email: str = ""
    company_payment: str = ""
    company_logo: FilePath | None = None

    # Limits, where a key or an organization has none of its own
    requests_per_minute: Annotated[int, Field(ge=limits.MINIMUM)] = limits.find("requests").default
    audio_seconds_per_minute: Annotated[int, Field(ge=limits.MINIMUM)] = limits.find("audio seconds").default
    concurrent_jobs: Annotated[int, Field(ge=limits.MINIMUM)] = limits.find("running requests").default
    input_characters: Annotated[int, Field(ge=limits.MINIMUM, le=limits.MAX_INPUT_CHARACTERS)] = limits.find(
        "characters"
    ).default
    rate_limit_grace_seconds: Annotated[float, Field(ge=0)] = 60

    # Payments: without the two secrets nothing of Stripe is there
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_api_base: str = "https://api.stripe.com"
    stripe_meter_event: str | None = None
    stripe_tax: bool = False

    # Workers
    engine: str | None = None
    worker_concurrency: Annotated[int, Field(ge=1)] = 8
    job_lease_seconds: Seconds = 4
    worker_grace_seconds: Annotated[float, Field(ge=0)] = 8

    # The model, where there is one
    higgs_checkpoint: Path | None = None
    higgs_voices: Path | None = None
    higgs_device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    higgs_dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    higgs_threads: Annotated[int, Field(ge=1)] | None = None
    higgs_slots: Annotated[int, Field(ge=1)] = 8
    higgs_context: Annotated[int, Field(ge=256)] = 2048
    higgs_prefill_tokens: Annotated[int, Field(ge=1)] = 2048
    higgs_pace_seconds: Seconds | None = None

    @property
    def embedded(self) -> bool:
        """Whether PostgreSQL and Valkey are ours to start, from their wheels."""
        return self.database_url is None or self.redis_url is None

    @property
    def origin(self) -> str:
        """Where customers reach the service, as links are written: PUBLIC_URL, else where the gateway listens.

        Never what a request's Host header says: links in e-mail would then lead wherever a stranger likes.
        """
        return self.public_url or self.local_url

    @property
    def local_url(self) -> str:
        """Where to reach the gateway from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def hosts(self) -> list[str]:
        """The Host headers that pages answer to: those listed, and PUBLIC_URL's, or this machine's without one."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        if public is None:
            return [*self.allowed_hosts, *LOCAL_HOSTS]
        return [*self.allowed_hosts, f"[{public}]" if ":" in public else public]

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies may insist on it."""
        if self.public_url is not None:
            return self.public_url.startswith("https://")
        return not (self.debug or self.embedded)

    @model_validator(mode="after")
    def _absolute_and_secret(self) -> Self:
        self.var_dir = self.var_dir.expanduser().resolve()
        if not self.embedded and not self.keyless and not (self.secret_key and self.api_key_peppers):
            raise ValueError("SECRET_KEY and API_KEY_PEPPERS must be set when DATABASE_URL and REDIS_URL are")
        if not self.embedded and not self.keyless and not self.debug and self.public_url is None:
            raise ValueError(
                "PUBLIC_URL must be set when DATABASE_URL and REDIS_URL are: links in e-mail begin with it"
            )
        if (self.stripe_secret_key is None) != (self.stripe_webhook_secret is None):
            raise ValueError("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET must be set together")
        for provider in ("oidc", "github"):
            given = [getattr(self, f"{provider}_client_{part}") is not None for part in ("id", "secret")]
            if given[0] != given[1]:
                name = provider.upper()
                raise ValueError(f"{name}_CLIENT_ID and {name}_CLIENT_SECRET must be set together")
        if self.stripe_tax and not self.stripe_secret_key:
            raise ValueError("STRIPE_TAX needs STRIPE_SECRET_KEY")
        if self.higgs_voices and not self.higgs_checkpoint:
            raise ValueError("HIGGS_VOICES needs HIGGS_CHECKPOINT: our own voice cannot speak like a recording")
        if self.email_url:
            mail.parse_url(self.email_url.get_secret_value())
        if self.secret_key and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("SECRET_KEY must have at least 32 characters")
        return self
