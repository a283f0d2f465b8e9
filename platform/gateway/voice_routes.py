"""The routes of voices and consents, with their descriptions (see `gateway.routes`)."""

from __future__ import annotations

from gateway import consent_phrases, errors, models_api
from gateway.errors import ApiError
from gateway.mounting import DJANGO, V1Route
from gateway.pages import Page
from gateway.reference import answers, failures, samples
from gateway.reference.operation import Answer, Operation, Parameter
from gateway.speech import own_voices
from gateway.voice_actions import unknown_consent
from gateway.voice_schemas import NewConsent, NewVoice, Rename

_CONSENT_ID = {"consent_id": Parameter("Id of the consent, `cons_…`.", samples.CONSENT_ID)}
_VOICE_ID = {"voice_id": Parameter("Id of the voice, `voice_…`.", samples.VOICE_ID)}
_UNKNOWN_CONSENT = unknown_consent(samples.CONSENT_ID)
_UNKNOWN_VOICE = own_voices.unknown(samples.VOICE_ID, "voice_id")
_MISSING = errors.invalid("Missing required parameter: 'name'.", param="name", code="missing_required_parameter")
_NO_ID = errors.invalid("Invalid value for 'limit': expected less than or equal to 100.", param="limit")
_TOO_LARGE = ApiError(413, "The request body is larger than the 11534336 bytes allowed.", code="request_too_large")
_JSON_TOO_LARGE = ApiError(
    413, "The request body is larger than the 1048576 bytes allowed.", code="request_too_large"
)
_NO_FORM = errors.unsupported_type("text/plain", send="multipart/form-data")
_NO_JSON = errors.unsupported_type("text/plain", send="application/json")
_FULL = errors.invalid(
    "Your organization has 20 voices, which is as many as it may have: delete one first.",
    code="voice_limit_reached",
)
_BUSY = errors.rate_limited(
    "Your organization is sending another recording right now: one at a time. Please try again soon.",
    type="concurrency",
    headers={"retry-after": "2"},
)
_QUIET = "it is too quiet: record closer to the microphone, or raise its level"


def _unusable(param: str) -> ApiError:
    return errors.invalid(f"Invalid value for {param!r}: {_QUIET}.", param=param, code="invalid_audio")


VOICE_ROUTES = (
    V1Route(
        "/audio/voices",
        models_api.list_audio_voices,
        {
            "GET": Operation(
                id="listAudioVoices",
                tag="Voices",
                summary="List voices of your own",
                description="With a key, `data` has the voices of your organization. Without a key, only `voices` "
                "is there: the names of the standard voices, as Open WebUI asks for them.",
                query=Page,
                answers=[Answer("The voices.", samples.AUDIO_VOICES)],
                errors=[_NO_ID, *failures.WITH_KEY],
                public=True,
            )
        },
    ),
    V1Route(
        "/audio/voices",
        DJANGO,
        {
            "POST": Operation(
                id="createVoice",
                tag="Voices",
                summary="Create a voice",
                description="Makes a voice of a recording. The sample's length, its level, clipping and whether "
                "it is speech are checked. Pass the voice's id as `voice` in a request for speech.",
                body=NewVoice,
                body_type="multipart/form-data",
                requests=samples.NEW_VOICE,
                answers=[Answer("The voice.", samples.CUSTOM_VOICE)],
                errors=[
                    _MISSING,
                    _unusable("audio_sample"),
                    _FULL,
                    unknown_consent(samples.CONSENT_ID, "consent"),
                    _TOO_LARGE,
                    _NO_FORM,
                    _BUSY,
                ],
            )
        },
    ),
    V1Route(
        "/audio/voices/{voice_id}",
        DJANGO,
        {
            "GET": Operation(
                id="getVoice",
                tag="Voices",
                summary="Retrieve a voice",
                path=_VOICE_ID,
                answers=[Answer("The voice.", samples.CUSTOM_VOICE)],
                errors=[_UNKNOWN_VOICE],
            ),
            "POST": Operation(
                id="updateVoice",
                tag="Voices",
                summary="Rename a voice",
                path=_VOICE_ID,
                body=Rename,
                requests=samples.RENAME,
                answers=[Answer("The voice.", samples.CUSTOM_VOICE)],
                errors=[_MISSING, _UNKNOWN_VOICE, _JSON_TOO_LARGE, _NO_JSON],
            ),
            "DELETE": Operation(
                id="deleteVoice",
                tag="Voices",
                summary="Delete a voice",
                description="Deletes the voice, its sample, what was computed of it, and the recording of the "
                "consent, unless another voice rests on it.",
                path=_VOICE_ID,
                answers=[
                    Answer(
                        "It is deleted.",
                        answers.Deleted(id=samples.VOICE_ID, object="audio.voice.deleted", deleted=True),
                    )
                ],
                errors=[_UNKNOWN_VOICE],
            ),
        },
    ),
    V1Route(
        "/audio/voice_consents",
        DJANGO,
        {
            "GET": Operation(
                id="listVoiceConsents",
                tag="Voices",
                summary="List consents",
                query=Page,
                answers=[Answer("The consents.", samples.CONSENTS)],
                errors=[_NO_ID],
            ),
            "POST": Operation(
                id="createVoiceConsent",
                tag="Voices",
                summary="Create a consent",
                description="Keeps the recording of a speaker who consents to a clone of their voice, by reading "
                f"this phrase word for word in one of the languages {', '.join(consent_phrases.PHRASES)}. In "
                f"English: “{consent_phrases.phrase('en')}” The answer's `text` has it in the language asked for.",
                body=NewConsent,
                body_type="multipart/form-data",
                requests=samples.NEW_CONSENT,
                answers=[Answer("The consent.", samples.CONSENT)],
                errors=[_MISSING, _unusable("recording"), _FULL, _TOO_LARGE, _NO_FORM, _BUSY],
            ),
        },
    ),
    V1Route(
        "/audio/voice_consents/{consent_id}",
        DJANGO,
        {
            "GET": Operation(
                id="getVoiceConsent",
                tag="Voices",
                summary="Retrieve a consent",
                path=_CONSENT_ID,
                answers=[Answer("The consent.", samples.CONSENT)],
                errors=[_UNKNOWN_CONSENT],
            ),
            "POST": Operation(
                id="updateVoiceConsent",
                tag="Voices",
                summary="Rename a consent",
                path=_CONSENT_ID,
                body=Rename,
                requests=samples.RENAME,
                answers=[Answer("The consent.", samples.CONSENT)],
                errors=[_MISSING, _UNKNOWN_CONSENT, _JSON_TOO_LARGE, _NO_JSON],
            ),
            "DELETE": Operation(
                id="deleteVoiceConsent",
                tag="Voices",
                summary="Delete a consent",
                description="Deletes the consent with its recording, and every voice that rests on it.",
                path=_CONSENT_ID,
                answers=[
                    Answer(
                        "It is deleted.",
                        answers.Deleted(id=samples.CONSENT_ID, object="audio.voice_consent", deleted=True),
                    )
                ],
                errors=[_UNKNOWN_CONSENT],
            ),
        },
    ),
)
