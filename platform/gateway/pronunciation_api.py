"""/v1/pronunciation_dictionaries: how an organization's names are said."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from gateway import database_threads, pronouncing
from gateway.authentication import caller
from gateway.errors import ApiError, invalid
from gateway.parsing import Body, parse, read_request
from gateway.pronouncing import PREFIX
from gateway.pronunciation_schemas import NewPronunciation, PronunciationChange, PronunciationQuery, RuleBody
from gateway.service import Service
from inference import pronunciations
from inference.models import PronunciationVersion
from inference.speech import lexicons
from inference.speech.lexicons import LexiconError
from inference.speech.pronunciation import MAX_PART_WORD_RULES, PronunciationRule


class PronunciationDictionaries(HTTPEndpoint):
    """/v1/pronunciation_dictionaries"""

    async def get(self, request: Request) -> Response:
        principal = await caller(request)
        shown = await database_threads.run(_list, principal)
        return JSONResponse({"object": "list", "data": shown})

    async def post(self, request: Request) -> Response:
        principal = await caller(request)
        service: Service = request.state.service
        async with service.limiter.slot(principal):
            body = await _body(request, NewPronunciation)
            rules = _rules(body) or []
            try:
                return JSONResponse(await database_threads.run(_create, principal, body, rules))
            except pronunciations.TooManyDictionaries:
                raise too_many() from None


class OnePronunciationDictionary(HTTPEndpoint):
    """/v1/pronunciation_dictionaries/{dictionary_id}"""

    async def get(self, request: Request) -> Response:
        principal = await caller(request)
        number = parse(PronunciationQuery, dict(request.query_params)).version
        version = await _owned(request, principal, number=number)
        return JSONResponse(await database_threads.run(_shown, version, principal))

    async def post(self, request: Request) -> Response:
        principal = await caller(request)
        service: Service = request.state.service
        async with service.limiter.slot(principal):
            version = await _owned(request, principal)
            body = await _body(request, PronunciationChange)
            changed = await database_threads.run(_change, principal, version.dictionary_id, body, _rules(body))
        if changed is None:
            raise pronouncing.unknown(request.path_params["dictionary_id"], param="dictionary_id")
        return JSONResponse(changed)

    async def delete(self, request: Request) -> Response:
        principal = await caller(request)
        version = await _owned(request, principal)
        await database_threads.run(
            pronunciations.delete, version.dictionary_id, organization_id=principal.organization_id
        )
        name = request.path_params["dictionary_id"]
        return JSONResponse({"id": name, "object": "pronunciation_dictionary", "deleted": True})


def too_many() -> ApiError:
    return invalid(
        f"Your organization has {pronunciations.MOST_DICTIONARIES} pronunciation dictionaries, which is the most. "
        "Delete one, or add rules to one.",
        code="too_many_dictionaries",
    )


async def _body(request: Request, schema: type[Body]) -> Body:
    return await read_request(request, schema, limit=settings.ENVIRONMENT.max_body_bytes)


async def _owned(request: Request, principal: Principal, *, number: int | None = None) -> PronunciationVersion:
    """The caller's dictionary. Raises ApiError: 404 for what is unknown or another organization's."""
    name = request.path_params["dictionary_id"]
    dictionary_id = parse_prefixed(PREFIX, name)
    found = None
    if dictionary_id is not None:
        found = await database_threads.run(
            pronunciations.version, dictionary_id, organization_id=principal.organization_id, number=number
        )
    if found is None:
        raise pronouncing.unknown(name, param="dictionary_id")
    return found


def _rules(body: NewPronunciation | PronunciationChange) -> list[PronunciationRule] | None:
    """The rules that a body gives or imports; None where it gives none. Raises ApiError: 400 names the member."""
    if body.rules is not None and body.data is not None:
        raise invalid("Give 'rules' or 'data', not both.", param="data")
    if body.data is None:
        return (
            None
            if body.rules is None
            else _checked([_rule(each, n) for n, each in enumerate(body.rules)], "rules")
        )
    read = lexicons.from_pls if body.data_format == "pls" else lexicons.from_csv
    try:
        return _checked(read(body.data), "data")
    except LexiconError as error:
        raise invalid(f"Invalid value for 'data': {error}.", param="data", code="invalid_lexicon") from None


def _rule(body: RuleBody, number: int) -> PronunciationRule:
    if bool(body.say) == bool(body.ipa):
        param = f"rules[{number}]"
        raise invalid(f"Invalid value for {param!r}: it needs either 'say' or 'ipa'.", param=param)
    return PronunciationRule(
        grapheme=body.grapheme,
        say=body.say or "",
        ipa=body.ipa or "",
        case_sensitive=bool(body.case_sensitive),
        whole_word=body.whole_word is not False,
        priority=body.priority or 0,
    )


def _checked(rules: list[PronunciationRule], param: str) -> list[PronunciationRule]:
    """Raises ApiError: 400, a rule has a NUL, or too many hold within words."""
    if any("\0" in each.grapheme + each.say + each.ipa for each in rules):
        raise invalid(f"Invalid value for {param!r}: a rule holds a NUL character.", param=param)
    if sum(not each.whole_word for each in rules) > MAX_PART_WORD_RULES:
        raise invalid(
            f"Invalid value for {param!r}: at most {MAX_PART_WORD_RULES} rules may have 'whole_word' false.",
            param=param,
        )
    return rules


def _list(principal: Principal) -> list[dict[str, Any]]:
    own = pronunciations.default_dictionary(principal.key_id)
    return [_about(each, own) for each in pronunciations.latest(organization_id=principal.organization_id)]


def _create(principal: Principal, body: NewPronunciation, rules: list[PronunciationRule]) -> dict[str, Any]:
    version = pronunciations.create(organization_id=principal.organization_id, name=body.name, rules=rules)
    _set_default(principal, version.dictionary_id, body.default)
    return _shown(version, principal)


def _change(
    principal: Principal, dictionary_id: UUID, body: PronunciationChange, rules: list[PronunciationRule] | None
) -> dict[str, Any] | None:
    version = pronunciations.change(
        dictionary_id, organization_id=principal.organization_id, name=body.name, rules=rules
    )
    if version is None:
        return None
    _set_default(principal, dictionary_id, body.default)
    return _shown(version, principal)


def _set_default(principal: Principal, dictionary_id: UUID, default: bool | None) -> None:
    """Make the dictionary that of the calling key, or no longer."""
    is_default = pronunciations.default_dictionary(principal.key_id) == dictionary_id
    if default is not None and default != is_default:
        pronunciations.set_default(
            api_key_id=principal.key_id,
            organization_id=principal.organization_id,
            dictionary_id=dictionary_id if default else None,
        )


def _about(version: PronunciationVersion, default: UUID | None) -> dict[str, Any]:
    return {
        "id": f"{PREFIX}{version.dictionary_id.hex}",
        "object": "pronunciation_dictionary",
        "name": version.dictionary.name,
        "version": version.number,
        "created_at": _unix(version.dictionary.created_at),
        "updated_at": _unix(version.created_at),
        "rule_count": len(version.rules),
        "default": version.dictionary_id == default,
    }


def _shown(version: PronunciationVersion, principal: Principal) -> dict[str, Any]:
    return {**_about(version, pronunciations.default_dictionary(principal.key_id)), "rules": version.rules}


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
