"""`manage.py run`: the whole service from one command, with whatever servers it lacks."""

from __future__ import annotations

import logging
import os
import sys
import threading
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.utils import OperationalError

from config.environment import Environment
from launch import hello, parts
from launch import locks as claims
from launch.embedded import EmbeddedPostgres, EmbeddedServer, EmbeddedValkey
from launch.parts import Part
from launch.processes import CannotRunError
from launch.supervisor import Supervisor
from launch.terminal import Terminal


class Command(BaseCommand):
    help = "Run the gateway, the workers and the clock, and PostgreSQL and Valkey where their URLs are not set."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        environment: Environment = settings.ENVIRONMENT
        try:
            with claims.sole_run(environment.var_dir):
                claims.check_port(environment.host, environment.port)
                in_peace = run(environment)
        except CannotRunError as error:
            raise CommandError(str(error)) from None
        if not in_peace:
            raise CommandError("stopped by force")


def run(environment: Environment) -> bool:
    """Run all parts until a signal; whether they stopped in peace."""
    logging.getLogger().setLevel(logging.WARNING)  # what our own libraries do is no news between the parts' lines
    servers = [_as_part(server) for server in _servers(environment)]
    services = parts.of_service(environment.var_dir, environment.worker_concurrency)
    names = [part.name for part in (*servers, *services)]
    terminal = Terminal(names, sys.stdout, environment.var_dir / "logs")
    supervisor = Supervisor(terminal, settings.PROJECT_ROOT, _child_environment(environment))
    url = environment.local_url

    def start() -> None:
        terminal.say(f"starting; VAR_DIR is {environment.var_dir}")
        for part in servers:
            supervisor.start(part)
        _migrate(terminal)
        for part in services:
            supervisor.start(part)
        if environment.embedded:  # in a database of one's own no customer is made up
            threading.Thread(target=_greet, args=(terminal, url, environment.var_dir), daemon=True).start()
        else:
            terminal.say(f"serving on {url}")

    return supervisor.run(start)


def _greet(terminal: Terminal, url: str, var_dir: Path) -> None:
    terminal.say_block(hello.say_hello(url, var_dir))


def _servers(environment: Environment) -> list[EmbeddedServer]:
    servers: list[EmbeddedServer] = []
    if environment.database_url is None:
        servers.append(EmbeddedPostgres(environment.var_dir))
    if environment.redis_url is None:
        servers.append(EmbeddedValkey(environment.var_dir))
    return servers


def _as_part(server: EmbeddedServer) -> Part:
    return Part(
        name=server.name,
        command=server.command,
        prepare=server.prepare,
        ready=server.ready,
        stop_signal=server.stop_signal,
    )


def _migrate(terminal: Terminal) -> None:
    output = StringIO()
    try:
        call_command("migrate", interactive=False, stdout=output)
    except OperationalError as error:
        raise CannotRunError(f"DATABASE_URL: the database does not answer: {error}") from None
    finally:
        connections.close_all()
    if applied := output.getvalue().count("  Applying "):
        terminal.say(f"{applied} migrations applied")


def _child_environment(environment: Environment) -> dict[str, str]:
    root = settings.PROJECT_ROOT
    path = [str(root / "platform"), str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    children = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        "VAR_DIR": str(environment.var_dir),  # a relative one was meant from here
    }
    if environment.embedded:  # on one's own desk, root is no reason for Celery to stop, or to warn
        children["C_FORCE_ROOT"] = "1"
        children["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    return children
