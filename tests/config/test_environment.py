"""A value that cannot be right stops every command, by the variable's name and without its value."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from config.environment import Environment
from tests.live import ROOT

NAMES = {name.upper() for name in Environment.model_fields}
SERVERS = {"DATABASE_URL": "postgresql://u:hunter2@db/speech", "REDIS_URL": "redis://r"}
GOOD_KEY, GOOD_PEPPERS = "k" * 32, f"1:{'ab' * 32}"
PUBLIC = "https://speech.example"


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in NAMES or name == "VAR_DIR"}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


WRONG = {
    "a port that is no number": ("PORT", {"PORT": "abc"}),
    "a port that there is not": ("PORT", {"PORT": "70000"}),
    "a mail server that is none": ("EMAIL_URL", {"EMAIL_URL": "hunter2"}),
    "a public address with a path": ("PUBLIC_URL", {"PUBLIC_URL": "https://speech.example/app"}),
    "neither yes nor no": ("DEBUG", {"DEBUG": "perhaps"}),
    "a proxy that is no network": ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "127.0.0.1,hunter2"}),
    "less than no credit": ("PROMO_CREDIT_DOLLARS", {"PROMO_CREDIT_DOLLARS": "-1"}),
    "no time at all": ("JOB_LEASE_SECONDS", {"JOB_LEASE_SECONDS": "0"}),
    "a short secret": ("SECRET_KEY", {"SECRET_KEY": "hunter2"}),
    "a pepper without number": ("API_KEY_PEPPERS", {"API_KEY_PEPPERS": "hunter2"}),
    "a pepper that is not hex": ("API_KEY_PEPPERS", {"API_KEY_PEPPERS": "1:hunter2"}),
    "a good pepper and a bad one": ("API_KEY_PEPPERS", {"API_KEY_PEPPERS": f"{GOOD_PEPPERS},2:hunter2"}),
    "a key of Stripe's and no webhook secret": ("STRIPE_WEBHOOK_SECRET", {"STRIPE_SECRET_KEY": "hunter2"}),
    "recordings and no model for them": ("HIGGS_CHECKPOINT", {"HIGGS_VOICES": "/hunter2"}),
    "servers and no secrets": ("SECRET_KEY", SERVERS),
    "servers and no peppers": ("API_KEY_PEPPERS", {**SERVERS, "SECRET_KEY": GOOD_KEY}),
    "servers and no address": ("PUBLIC_URL", {**SERVERS, "SECRET_KEY": GOOD_KEY, "API_KEY_PEPPERS": GOOD_PEPPERS}),
    "servers and no secret key": ("SECRET_KEY", {**SERVERS, "API_KEY_PEPPERS": GOOD_PEPPERS}),
}


def test_a_part_that_signs_nothing_starts_without_secrets() -> None:
    assert check(**SERVERS, KEYLESS="true").returncode == 0


@pytest.mark.parametrize("case", WRONG)
def test_a_value_that_cannot_be_right_is_named_and_not_shown(case: str) -> None:
    named, environment = WRONG[case]
    checked = check(**environment)
    assert checked.returncode != 0
    assert named in checked.stderr
    assert "Traceback" not in checked.stderr
    for secret in ("hunter2", GOOD_KEY, GOOD_PEPPERS):
        assert secret not in checked.stdout + checked.stderr


def test_empty_variables_count_as_unset() -> None:
    checked = check(**dict.fromkeys(NAMES - {"VAR_DIR"}, ""))
    assert checked.returncode == 0, checked.stderr


def test_production_needs_servers_secrets_and_its_address_only() -> None:
    checked = check(**SERVERS, SECRET_KEY=GOOD_KEY, API_KEY_PEPPERS=GOOD_PEPPERS, PUBLIC_URL=PUBLIC)
    assert checked.returncode == 0, checked.stderr


def test_the_example_lists_every_variable_once_and_sets_none() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    listed = re.findall(r"^# ([A-Z_]+)=", "\n".join(lines), re.MULTILINE)
    assert sorted(listed) == sorted(NAMES)
    assert all(line == "" or line.startswith("# ") for line in lines)


def test_the_example_shows_the_defaults() -> None:
    example = (ROOT / ".env.example").read_text()
    shown = {name: value for name, value in re.findall(r"^# ([A-Z_]+)=(.*)$", example, re.MULTILINE) if value}
    shown["VAR_DIR"] = str(ROOT / shown["VAR_DIR"])
    defaults = Environment.model_construct()
    parsed = Environment.model_validate({name.lower(): value for name, value in shown.items()})
    for name in shown:
        assert getattr(parsed, name.lower()) == getattr(defaults, name.lower()), name
    without = {
        name.upper()
        for name in Environment.model_fields
        if not getattr(defaults, name) and getattr(defaults, name) is not False
    }
    assert NAMES - shown.keys() == without
