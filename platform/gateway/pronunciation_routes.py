"""The routes of pronunciation dictionaries, with their descriptions (see `gateway.routes`)."""

from __future__ import annotations

from gateway import pronunciation_api
from gateway.mounting import V1Route
from gateway.pronunciation_schemas import NewPronunciation, PronunciationChange, PronunciationQuery
from gateway.reference import answers, failures, samples
from gateway.reference.operation import Answer, Operation, Parameter

_DICTIONARY_ID = {"dictionary_id": Parameter("Id of the dictionary, `pd_…`.", samples.DICTIONARY_ID)}

PRONUNCIATION_ROUTES = (
    V1Route(
        "/pronunciation_dictionaries",
        pronunciation_api.PronunciationDictionaries,
        {
            "GET": Operation(
                id="listPronunciationDictionaries",
                tag="Pronunciation",
                summary="List pronunciation dictionaries",
                description="Your organization's dictionaries, without their rules.",
                answers=[Answer("The dictionaries.", samples.DICTIONARIES)],
            ),
            "POST": Operation(
                id="createPronunciationDictionary",
                tag="Pronunciation",
                summary="Create a pronunciation dictionary",
                description="Name it in a request for speech as `pronunciation`, or make it your key's default. "
                "Up to 100 dictionaries of 2,000 rules.",
                body=NewPronunciation,
                requests=samples.NEW_DICTIONARY,
                answers=[Answer("The dictionary.", samples.DICTIONARY)],
                errors=[*failures.BODY, pronunciation_api.too_many(), failures.RATE_LIMITED],
            ),
        },
    ),
    V1Route(
        "/pronunciation_dictionaries/{dictionary_id}",
        pronunciation_api.OnePronunciationDictionary,
        {
            "GET": Operation(
                id="getPronunciationDictionary",
                tag="Pronunciation",
                summary="Retrieve a pronunciation dictionary",
                path=_DICTIONARY_ID,
                query=PronunciationQuery,
                answers=[Answer("The dictionary.", samples.DICTIONARY)],
                errors=[failures.BAD_QUERY, failures.unknown_dictionary("dictionary_id")],
            ),
            "POST": Operation(
                id="changePronunciationDictionary",
                tag="Pronunciation",
                summary="Change a pronunciation dictionary",
                description="Renames it, or replaces its rules by a new version. Requests that name no version "
                "use the new one.",
                path=_DICTIONARY_ID,
                body=PronunciationChange,
                requests=samples.DICTIONARY_CHANGE,
                answers=[Answer("The dictionary.", samples.DICTIONARY)],
                errors=[*failures.BODY, failures.unknown_dictionary("dictionary_id"), failures.RATE_LIMITED],
            ),
            "DELETE": Operation(
                id="deletePronunciationDictionary",
                tag="Pronunciation",
                summary="Delete a pronunciation dictionary",
                path=_DICTIONARY_ID,
                answers=[
                    Answer(
                        "It is deleted.",
                        answers.Deleted(id=samples.DICTIONARY_ID, object="pronunciation_dictionary", deleted=True),
                    )
                ],
                errors=[failures.unknown_dictionary("dictionary_id")],
            ),
        },
    ),
)
