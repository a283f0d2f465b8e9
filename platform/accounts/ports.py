"""Ports: functions that a lower room calls and a higher room provides, so that imports run one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from django.core.exceptions import ImproperlyConfigured

P = ParamSpec("P")
R = TypeVar("R")


class Port(Generic[P, R]):
    """Called like the function that the higher room's `AppConfig.ready` has registered."""

    def __init__(self, purpose: str) -> None:
        """Args: purpose: completes "nothing ..." in the error where no app has registered a function."""
        self._purpose = purpose
        self._function: Callable[P, R] | None = None

    def register(self, function: Callable[P, R]) -> None:
        """Use `function` from now on, in place of any before it."""
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Raises ImproperlyConfigured where no installed app has registered a function."""
        if self._function is None:
            raise ImproperlyConfigured(f"nothing {self._purpose}: the app that does is not in INSTALLED_APPS")
        return self._function(*args, **kwargs)
