"""The proxy of docker-compose.yml in front of the real gateway, where there is an nginx to run."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import ROOT, Service, free_port, running_service, wait_for
from tests.security import services
from usage.models import RequestLog

NGINX = shutil.which("nginx")
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUST.check_hostname, TRUST.verify_mode = False, ssl.CERT_NONE  # the certificate is of the test's own making
pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine")


@dataclass(frozen=True, slots=True)
class Front:
    """The proxy's addresses, and what is behind it."""

    http: str
    https: str
    service: Service


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(private)


@pytest.fixture(scope="module")
def front(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("proxy")
    make_certificate(folder)
    http, https = free_port(), free_port()
    public = {"PUBLIC_URL": f"https://localhost:{https}", "PROXIES": "1"}
    with running_service(folder, **services.environment(), **public) as service:
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        for ours, here in (
            ("server gateway:8000", f"server 127.0.0.1:{service.port}"),
            ("listen 8080", f"listen 127.0.0.1:{http}"),
            ("listen 8443", f"listen 127.0.0.1:{https}"),
            (" /tmp/", f" {folder}/"),
            ("/etc/nginx/tls/", f"{folder}/"),
            ("worker_processes auto;", "worker_processes 1;\ndaemon off;\nmaster_process off;"),
        ):
            assert ours in text
            text = text.replace(ours, here)
        configuration = folder / "nginx.conf"
        configuration.write_text(text)
        assert NGINX
        command = [NGINX, "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")]
        with (folder / "nginx.log").open("wb") as output:
            nginx = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            found = Front(f"http://localhost:{http}", f"https://localhost:{https}", service)
            wait_for(lambda: answers(found), what=(folder / "nginx.log").read_text())
            yield found
        finally:
            nginx.terminate()
            nginx.wait(10)


def answers(front: Front) -> bool:
    try:
        return httpx.get(f"{front.https}/healthz", verify=TRUST).status_code == 200
    except httpx.HTTPError:
        return False


def test_speech_is_streamed_through_it(front: Front, customer: Customer) -> None:
    """Two seconds of speech in real time: the first of it is here long before the last is made."""
    request = scripted(50, pace=0.04, stream=True, audio={"voice": "alloy", "format": "pcm16"})
    began, first = time.monotonic(), 0.0
    with httpx.stream(
        "POST",
        f"{front.https}/v1/chat/completions",
        json=request,
        headers={**customer.headers, "x-forwarded-for": "10.9.8.7"},
        verify=TRUST,
        timeout=30,
    ) as answer:
        for line in answer.iter_lines():
            if '"audio"' in line and '"data"' in line and not first:
                first = time.monotonic() - began
        whole = time.monotonic() - began
        assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]
    assert 0 < first < whole - 1
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())
    assert row.client_address == "127.0.0.1", "what the client claimed did not get past the proxy"


def test_http_is_sent_to_https(front: Front) -> None:
    answer = httpx.get(f"{front.http}/console?x=1")
    assert answer.status_code == 301
    assert answer.headers["location"] == "https://localhost/console?x=1"


def test_the_apis_errors_come_from_the_gateway(front: Front) -> None:
    answer = httpx.get(f"{front.https}/v1/models", verify=TRUST)
    assert answer.json()["error"]["code"] == "missing_api_key"
    assert httpx.get(f"{front.https}/metrics", verify=TRUST).status_code == 404
    large = httpx.post(f"{front.https}/nonexistent", content=bytes(1_048_577), verify=TRUST)
    assert large.status_code == 413
