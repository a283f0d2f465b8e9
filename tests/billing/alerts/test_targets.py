"""No URL makes our machine ask what only it can reach."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.billing.alerts.world import Receiver, receiving
from webhooks import posting, targets
from webhooks.posting import Failed

NAME = "hooks.customer.example"
NOT_URLS = (
    "http://example.com/", "ftp://example.com/", "example.com", "https://", "https:///path", "//example.com/x",
    "javascript:alert(1)", "file:///etc/passwd", "https://user:secret@example.com/", "https://a@example.com/",
    "https://example.com\\@127.0.0.1/", "https://example.com /", "https://example.com/\r\nhost: x", "https://exämple.com/",
    "https://example.com:80/", "https://example.com:22/", "https://example.com:25/", "https://example.com:0/",
    "https://example.com:99999/", "https://example.com:x/", "https://[::1", "https://[fe80::1%25eth0]/",
    "https://example.com/" + "a" * 500,
)  # fmt: skip
NOT_PUBLIC = (
    "127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "0x7f000001", "017700000001", "localhost", "0", "000.0",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "192.0.2.1", "198.18.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]",
    "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::1]",
    "[2001:0:7f00:1::1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
)  # fmt: skip


@pytest.fixture
def out_there(settings: Any) -> None:
    """The rules of a service that is public."""
    settings.ALERTS_PRIVATE_TARGETS = False


@pytest.mark.parametrize("url", NOT_URLS)
def test_what_is_no_webhooks_url_is_refused(out_there: None, url: str) -> None:
    with pytest.raises(targets.Refused):
        targets.parse(url)


@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_what_is_not_public_is_refused(out_there: None, host: str) -> None:
    with pytest.raises(targets.Refused, match="not an address of the public Internet"):
        targets.resolve(targets.parse(f"https://{host}/hook"))


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700:4700::1111]", "8.8.8.8:8443"])
def test_what_is_public_is_not(out_there: None, host: str) -> None:
    assert targets.resolve(targets.parse(f"https://{host}/")) in host


def test_a_name_without_an_address_says_so(out_there: None) -> None:
    with pytest.raises(targets.Refused, match="has no address"):
        targets.resolve(targets.parse("https://nobody.invalid/"))


def answering(*addresses: str) -> Any:
    """A resolver that the customer runs: it says what it likes, each time."""
    real, answers = socket.getaddrinfo, list(addresses)

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in (NAME, NAME.encode()):
            return real(host, port, *args, **kwargs)
        return [info for part in answers.pop(0).split(",") for info in real(part, port, *args, **kwargs)]

    return resolve


def test_one_bad_address_among_good_ones_is_enough(out_there: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answering("8.8.8.8,10.0.0.1"))
    with pytest.raises(targets.Refused):
        targets.resolve(targets.parse(f"https://{NAME}/"))


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server with the certificate of a name, which is trusted here."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    with receiving(lambda plain: context.wrap_socket(plain, server_side=True)) as receiver:
        receiver.url = f"https://{NAME}:{receiver.url.split(':')[2]}"
        yield receiver


def test_the_connection_goes_to_the_address_that_was_looked_at(
    tls: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name's second answer would lead elsewhere; its first is what is asked, under the name."""
    monkeypatch.setattr(socket, "getaddrinfo", answering("127.0.0.1", "192.0.2.1"))
    posting.post(tls.url, headers={"webhook-id": "msg_1"}, body=b"{}")
    [message] = tls.received
    assert message.headers["host"].startswith(NAME)
    assert (message.headers["webhook-id"], message.body) == ("msg_1", b"{}")


def test_the_certificate_must_be_the_names(tls: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failed, match="its certificate is not valid"):
        posting.post(tls.url.replace(NAME, "127.0.0.1"), headers={}, body=b"{}")
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setattr(socket, "getaddrinfo", answering("127.0.0.1"))
    with pytest.raises(Failed, match="its certificate is not valid"):
        posting.post(tls.url, headers={}, body=b"{}")
    assert tls.received == []


def test_a_name_that_moved_inside_is_refused_when_it_is_sent(out_there: None, tls: Receiver) -> None:
    """Whatever it was when it was added."""
    with pytest.raises(Failed, match="not an address of the public Internet"):
        posting.post(tls.url.replace(NAME, "localhost"), headers={}, body=b"{}")
    assert tls.received == []
