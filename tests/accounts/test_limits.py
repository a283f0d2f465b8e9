"""The table of limits: what an entry of it brings with it, and that every entry has its column and its setting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import limits
from accounts.limits import LIMITS
from accounts.models import ApiKey
from tests.conftest import Customer

ROOT = Path(__file__).parents[2]

WITH_ONE_MORE = """
import os, sys
sys.path[:0] = ["platform", "."]
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from accounts import limits
limits.LIMITS += (limits.RateLimit(
    name="requests_per_day", counts="requests", label="Requests a day", unit="requests per day", default=7_654,
    about="Counts what a day brings.",
),)
import django
from django.conf import settings
object.__setattr__(settings.ENVIRONMENT, "requests_per_day", 7_654)
django.setup()

from django.core.management import load_command_class
from django.test import RequestFactory
from accounts.keys import _LOOK_UP, Principal
from console.key_forms import KeyForm, NewKeyForm
from console.views.reference import show
from gateway.limits.limits import limits_of
from gateway.routes import document
from operations.admin.agreements import LimitsForm

for form in (KeyForm(), NewKeyForm(), LimitsForm()):
    assert form["requests_per_day"].label == "Requests a day", form
assert KeyForm({"requests_per_day": "0"}).errors["requests_per_day"]
own, shared = limits_of(Principal(None, None, None, b"", 1, {"requests_per_day": 3}))
assert (own.values["requests_per_day"], shared.values["requests_per_day"]) == (3, 7_654)
assert "organization.requests_per_day" in _LOOK_UP
assert "requests_per_day" in document()["components"]["schemas"]["Limits"]["properties"]
page = show(RequestFactory().get("/reference")).content.decode()
assert "requests_per_day" in page and "7654" in page and "Counts what a day brings." in page
options = load_command_class("accounts", "set_limits").create_parser("manage.py", "set_limits").format_help()
assert "--requests-per-day" in options
"""


def test_a_limit_added_to_the_table_is_everywhere() -> None:
    """In the console's and the operator's forms, the key's lookup, the API, the reference page, the command."""
    done = subprocess.run(
        [sys.executable, "-c", WITH_ONE_MORE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_every_limit_has_its_columns_and_its_setting(
    limit: limits.RateLimit, customer: Customer, settings: Any
) -> None:
    for subject in (customer.key, customer.organization):
        limits.put(subject, **{limit.name: limit.most})
        subject.refresh_from_db()
        assert limits.of(subject)[limit.name] == limit.most
        with pytest.raises(IntegrityError), transaction.atomic():
            limits.put(subject, **{limit.name: limits.MINIMUM - 1})
    assert ApiKey.objects.filter(**{limit.name: limit.most}).exists()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={limit.name: 3})
    assert limits.default(limit.name) == 3
