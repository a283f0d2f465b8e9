"""Signing in with an account of elsewhere: any OpenID Connect provider, Google where none is named, and GitHub."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from config.environment import Environment

GITHUB = "https://github.com"


def providers(environment: Environment) -> dict[str, Any]:
    """`SOCIALACCOUNT_PROVIDERS` of django-allauth; empty where no client id is set."""
    found: dict[str, Any] = {}
    if environment.oidc_client_id and environment.oidc_client_secret:
        found["openid_connect"] = {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": environment.oidc_name,
                    "client_id": environment.oidc_client_id,
                    "secret": environment.oidc_client_secret.get_secret_value(),
                    "settings": {"server_url": environment.oidc_issuer},
                }
            ],
        }
    if environment.github_client_id and environment.github_client_secret:
        found["github"] = {
            "OAUTH_PKCE_ENABLED": True,
            "SCOPE": ["user:email"],
            "APPS": [
                {
                    "name": "GitHub",
                    "client_id": environment.github_client_id,
                    "secret": environment.github_client_secret.get_secret_value(),
                }
            ],
        }
    return found


def origins(environment: Environment) -> list[str]:
    """Where the sign-in forms lead, for the policy that browsers hold a page's forms to."""
    found = []
    if environment.oidc_client_id:
        parts = urlsplit(environment.oidc_issuer)
        found.append(f"{parts.scheme}://{parts.netloc}")
    if environment.github_client_id:
        found.append(GITHUB)
    return found
