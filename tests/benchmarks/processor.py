"""Processor time by part of the service, so that a figure does not depend on what else the machine does."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from tests.live import Service

PARTS = ("gateway", "worker", "postgres", "valkey")


def seconds(service: Service, *workers: Service) -> dict[str, float]:
    """The processor seconds that each part has taken so far, its ended child processes included.

    PostgreSQL and Valkey are the servers that this program started.

    Args:
        workers: services whose workers count beside the service's own.
    """
    assert service.gateway
    roots = {"gateway": [psutil.Process(service.gateway.pid)], "worker": []}
    for each in (service, *workers):
        assert each.worker
        roots["worker"].append(psutil.Process(each.worker.pid))
    for child in psutil.Process().children(recursive=True):
        if child.name() == "postgres" and child.parent().name() != "postgres":
            roots["postgres"] = [child]
        elif child.name() == "valkey-server":
            roots["valkey"] = [child]
    return {part: sum(map(_of_tree, roots[part])) for part in PARTS}


def milliseconds_each(
    before: Mapping[str, float], after: Mapping[str, float], *, requests: int
) -> dict[str, float]:
    """What each part took for one request."""
    return {part: (after[part] - before[part]) / requests * 1000 for part in PARTS}


def _of_tree(root: psutil.Process) -> float:
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return sum(sum((each.user, each.system, each.children_user, each.children_system)) for each in times)
