"""The one column type of money."""

from __future__ import annotations

from typing import Any

from django.db import models


def dollars(**options: Any) -> models.DecimalField[Any, Any]:
    """A column of dollars, exact to the nano-dollar: numeric(20, 9)."""
    return models.DecimalField(max_digits=20, decimal_places=9, **options)
