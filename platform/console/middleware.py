"""Around every page: the files it needs, and what a browser may do with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.encoding import iri_to_uri
from whitenoise.middleware import WhiteNoiseMiddleware

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the QR code of an authenticator app
        "media-src 'self' blob:",  # what a script fetched with a key, for the page's player
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline and nothing from elsewhere: text that finds its way into a page stays text."""


CHECKOUT = "https://checkout.stripe.com"
SIGN_IN = "/accounts/"
"""Below it are the forms that lead to where else one may have an account."""


def with_checkout(response: HttpResponse) -> HttpResponse:
    """A page with a form whose answer leads to Stripe's."""
    if settings.STRIPE_SECRET_KEY:
        response.headers["content-security-policy"] = _with_forms_to([CHECKOUT])
    return response


def _with_forms_to(origins: list[str]) -> str:
    """The policy of a page whose forms may end up elsewhere: a browser asks it of each redirect, too."""
    return POLICY.replace("form-action 'self'", " ".join(("form-action 'self'", *origins)))


class PublicOrigin:
    """Absolute URLs begin with `Environment.origin`, whatever the Host header says.

    Ours and those of the libraries alike: links in e-mail, Stripe's way back, OAuth's redirect URIs. A port that
    the client claims beside our own name counts for nothing either, so that one person has one name at sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Raises DisallowedHost, which is a 400, for a host that is not ours."""
        origin = settings.ENVIRONMENT.origin
        ours = urlsplit(origin)
        if split_domain_port(request.get_host())[0] == split_domain_port(ours.netloc)[0]:
            request.META["HTTP_HOST"] = ours.netloc

        def build_absolute_uri(location: str | None = None) -> str:
            return iri_to_uri(urljoin(f"{origin}/", request.get_full_path() if location is None else location))

        request.build_absolute_uri = build_absolute_uri  # type: ignore[method-assign]
        return self.get_response(request)


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """WhiteNoise, which hands out a file to iterate over; under ASGI Django warns of that, and ours are small."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        return HttpResponse(content, status=int(found.status), headers=dict(found.headers))


class ContentSecurityPolicy:
    """Says in a header what a page may load and run."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        policy = _with_forms_to(settings.SIGN_IN_ORIGINS) if request.path.startswith(SIGN_IN) else POLICY
        response.headers.setdefault("content-security-policy", policy)
        return response


class WholePages:
    """Where htmx asks for a part of a page and is sent elsewhere, to sign in again, the page itself goes there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if "hx-request" in request.headers and response.has_header("location"):
            return HttpResponse(headers={"hx-refresh": "true"})
        return response


class GuessLimits:
    """Counts what an address sends to the pages of sign-in, whatever comes of it.

    The counters of an account are allauth's. A success clears those, so it must not clear these: an attacker has
    an account too. A customer of an IPv6 provider has a /48 of 65,536 networks, which is counted as well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST" and request.path.startswith(SIGN_IN):
            site = _site_of(get_adapter(request).get_client_ip(request))
            by_address = ratelimit.consume(request, action="guess")
            if not by_address or not ratelimit.consume(request, action="guess_site", key=site):
                refusal: HttpResponse = ratelimit.respond_429(request)
                return refusal
        return self._get_response(request)


def _site_of(address: str) -> str:
    """The /48 of an IPv6 address; of any other, itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 48 if parsed.version == 6 else 32), strict=False))
