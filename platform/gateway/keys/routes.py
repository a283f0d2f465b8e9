"""The routes of keys and client secrets, as `gateway.routes` has them."""

from __future__ import annotations

from gateway import errors
from gateway.keys import acts, api, service_accounts
from gateway.keys.schemas import ChangedKey, ClientSecretRequest, NewKey, NewServiceAccount
from gateway.mounting import V1Route
from gateway.pages import Page
from gateway.reference import failures
from gateway.reference import keys as samples
from gateway.reference.operation import Answer, Operation, Parameter

_PROJECT = {"project_id": Parameter("`default`, or `proj_…`: an organization is one project.", "default")}
_KEY_ID = {**_PROJECT, "key_id": Parameter("Id of the key, `key_…`.", samples.KEY_ID)}
_ACCOUNT_ID = {
    **_PROJECT,
    "service_account_id": Parameter("Id of the service account, `svc_acct_…`.", samples.ACCOUNT_ID),
}
_UNKNOWN_ACCOUNT = service_accounts.unknown(samples.ACCOUNT_ID)
_UNKNOWN = acts.unknown(samples.KEY_ID)
_NO_PROJECT = acts.unknown_project("proj_1")
_NO_BODY = (failures.SMALL_TOO_LARGE, failures.NO_JSON)
_ADMIN = "Needs a key with the permission `admin`, which is made in the console."

KEY_ROUTES = (
    V1Route(
        "/organization/projects/{project_id}/api_keys",
        api.KeysResource,
        {
            "POST": Operation(
                id="createProjectApiKey",
                tag="Account",
                summary="Create an API key",
                description=f"Creates a key. Its `value` is shown this once. {_ADMIN}",
                path=_PROJECT,
                body=NewKey,
                requests=samples.KEY_BODY,
                answers=[Answer("The key.", samples.NEW_KEY)],
                errors=[failures.MISSING_NAME, _NO_PROJECT, acts.too_many(), *_NO_BODY],
            ),
            "GET": Operation(
                id="listProjectApiKeys",
                tag="Account",
                summary="List API keys",
                description=f"The active keys, the newest first. {_ADMIN}",
                path=_PROJECT,
                query=Page,
                answers=[Answer("The keys.", samples.KEYS)],
                errors=[
                    failures.BAD_LIMIT,
                    _NO_PROJECT,
                    _UNKNOWN,
                ],
            ),
        },
    ),
    V1Route(
        "/organization/projects/{project_id}/api_keys/{key_id}",
        api.KeyResource,
        {
            "GET": Operation(
                id="getProjectApiKey",
                tag="Account",
                summary="Retrieve an API key",
                description=_ADMIN,
                path=_KEY_ID,
                answers=[Answer("The key.", samples.KEY)],
                errors=[_NO_PROJECT, _UNKNOWN],
            ),
            "POST": Operation(
                id="modifyProjectApiKey",
                tag="Account",
                summary="Modify an API key",
                description=f"Sets name, permissions and limits of a key; what is absent is the default. {_ADMIN}",
                path=_KEY_ID,
                body=ChangedKey,
                requests=samples.KEY_BODY,
                answers=[Answer("The key.", samples.KEY)],
                errors=[failures.MISSING_NAME, _NO_PROJECT, _UNKNOWN, acts.protected(), *_NO_BODY],
            ),
            "DELETE": Operation(
                id="deleteProjectApiKey",
                tag="Account",
                summary="Revoke an API key",
                description=f"Ends a key within a second. {_ADMIN}",
                path=_KEY_ID,
                answers=[Answer("It is revoked.", samples.KEY_DELETED)],
                errors=[_NO_PROJECT, _UNKNOWN, acts.protected()],
            ),
        },
    ),
    V1Route(
        "/organization/projects/{project_id}/service_accounts",
        service_accounts.ServiceAccountsResource,
        {
            "POST": Operation(
                id="createProjectServiceAccount",
                tag="Account",
                summary="Create a service account",
                description="Creates an account for a server or a script, and a key of its own. The key's "
                f"`value` is shown this once. {_ADMIN}",
                path=_PROJECT,
                body=NewServiceAccount,
                requests=samples.ACCOUNT_BODY,
                answers=[Answer("The service account, with its key.", samples.NEW_ACCOUNT)],
                errors=[
                    failures.MISSING_NAME,
                    _NO_PROJECT,
                    service_accounts.too_many(),
                    acts.too_many(),
                    *_NO_BODY,
                ],
            ),
            "GET": Operation(
                id="listProjectServiceAccounts",
                tag="Account",
                summary="List service accounts",
                description=f"The newest first. {_ADMIN}",
                path=_PROJECT,
                query=Page,
                answers=[Answer("The service accounts.", samples.ACCOUNTS)],
                errors=[failures.BAD_LIMIT, _NO_PROJECT, _UNKNOWN_ACCOUNT],
            ),
        },
    ),
    V1Route(
        "/organization/projects/{project_id}/service_accounts/{service_account_id}",
        service_accounts.ServiceAccountResource,
        {
            "GET": Operation(
                id="getProjectServiceAccount",
                tag="Account",
                summary="Retrieve a service account",
                description=_ADMIN,
                path=_ACCOUNT_ID,
                answers=[Answer("The service account.", samples.ACCOUNT)],
                errors=[_NO_PROJECT, _UNKNOWN_ACCOUNT],
            ),
            "DELETE": Operation(
                id="deleteProjectServiceAccount",
                tag="Account",
                summary="Delete a service account",
                description=f"Ends a service account, and all its keys within a second. {_ADMIN}",
                path=_ACCOUNT_ID,
                answers=[Answer("It is deleted, and its keys are revoked.", samples.ACCOUNT_DELETED)],
                errors=[_NO_PROJECT, _UNKNOWN_ACCOUNT],
            ),
        },
    ),
    V1Route(
        "/realtime/client_secrets",
        api.create_client_secret,
        {
            "POST": Operation(
                id="createClientSecret",
                tag="Account",
                summary="Create a client secret",
                description="Creates a secret that a web page uses in place of an API key, for speech alone and "
                "for some minutes. What it uses counts as this key's. Revoking the key ends it.",
                body=ClientSecretRequest,
                requests=samples.SECRET_BODY,
                answers=[Answer("The secret.", samples.CLIENT_SECRET)],
                errors=[
                    errors.invalid(
                        "Invalid value for 'expires_after.seconds': expected less than or equal to 7200.",
                        param="expires_after.seconds",
                    ),
                    *_NO_BODY,
                    failures.RATE_LIMITED,
                ],
            )
        },
    ),
)
