"""A double of an OpenID Connect provider and of GitHub over real HTTP, which checks what it is asked.

A person is signed in there already and agrees to everything; `person` says who.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID, CLIENT_SECRET = "speech", "no-secret-at-all"


class Identity:
    """Who signs in, and the codes and tokens that stand for it."""

    url = ""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self.denies = False
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes from the provider's page: RFC 6749, 4.1.2."""
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        answer = {"state": asked["state"]}
        if self.denies:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe()
            self._codes[answer["code"]] = asked
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def token(self, asked: dict[str, str]) -> dict[str, Any] | None:
        """A code's token, once, for whoever began (RFC 7636) and knows the secret; else None."""
        began = self._codes.pop(asked["code"], None)
        verifier = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        if (
            began is None
            or began["code_challenge"] != base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
            or began["redirect_uri"] != asked["redirect_uri"]
            or (asked["client_id"], asked["client_secret"]) != (CLIENT_ID, CLIENT_SECRET)
        ):
            return None
        token = secrets.token_urlsafe()
        self._tokens.add(token)
        return {"access_token": token, "token_type": "bearer", "scope": began.get("scope", "")}

    def knows(self, authorization: str) -> bool:
        return authorization.partition(" ")[2] in self._tokens


class _Handler(BaseHTTPRequestHandler):
    identity: ClassVar[Identity]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        url, person = self.identity.url, self.identity.person
        if parts.path.endswith("/authorize"):
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("location", self.identity.authorize(asked))
            self.end_headers()
            return
        if parts.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/authorize",
                    "token_endpoint": f"{url}/token",
                    "userinfo_endpoint": f"{url}/userinfo",
                    "jwks_uri": f"{url}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif not self.identity.knows(self.headers.get("authorization", "")):
            self._answer({"error": "invalid_token"}, 401)
        elif parts.path == "/userinfo":
            self._answer(person)
        elif parts.path == "/api/v3/user":
            self._answer({"id": person["sub"], "login": person["email"].partition("@")[0], "email": None})
        else:
            address = {"email": person["email"], "primary": True, "verified": person["email_verified"]}
            self._answer([address])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        token = self.identity.token({name: values[0] for name, values in parse_qs(body).items()})
        self._answer(token or {"error": "invalid_grant"}, 200 if token else 400)

    def _answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests' output is for failures."""


@contextmanager
def identity_server() -> Iterator[Identity]:
    identity = Identity()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"identity": identity}))
    identity.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield identity
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
