"""`manage.py probe`: probe the service twice a minute and record the results."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from status import probes
from status.recording import ProbeRecorder

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Probe the service from outside, for the status page."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        environment = settings.ENVIRONMENT
        url = environment.probe_url or environment.local_url
        host = urlsplit(environment.origin).netloc  # an allowed host of Django
        recorder, stopped = ProbeRecorder(), threading.Event()
        for sent in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sent, lambda *_: stopped.set())

        def look() -> None:
            found = probes.probe(url, host)
            if not recorder.add(found):
                log.warning("the database is away: what the probes find is kept until it is back")

        probes.wait_until_up(url, host, stopped.wait)
        probes.every_interval(look, stopped.wait)
