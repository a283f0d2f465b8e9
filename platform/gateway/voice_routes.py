"""The routes of voices and consents, with their descriptions (see `gateway.routes`)."""

from __future__ import annotations

from gateway import consent_phrases, errors, models_api
from gateway.decoders import unusable
from gateway.door.bodies import FORM_BYTES
from gateway.large_bodies import one_at_a_time
from gateway.mounting import DJANGO, V1Route
from gateway.pages import Page
from gateway.reference import answers, failures, samples
from gateway.reference.operation import Answer, Operation, Parameter
from gateway.speech import own_voices
from gateway.voice_actions import too_many, unknown_consent
from gateway.voice_schemas import NewConsent, NewVoice, Rename
from inference.speech import flaws
from inference.speech.reference import MAX_SAMPLE_SECONDS

_CONSENT_ID = {"consent_id": Parameter("Id of the consent, `cons_…`.", samples.CONSENT_ID)}
_VOICE_ID = {"voice_id": Parameter("Id of the voice, `voice_…`.", samples.VOICE_ID)}
_UNKNOWN_CONSENT = unknown_consent(samples.CONSENT_ID)
_UNKNOWN_VOICE = own_voices.unknown(samples.VOICE_ID, "voice_id")
_TOO_LARGE = errors.body_too_large(FORM_BYTES)
_FULL = too_many("voices", 20)
_NO_BODY = (failures.TOO_LARGE, failures.NO_JSON)
_BUSY = one_at_a_time()
_QUIET = flaws.explain(flaws.Flaw.TOO_QUIET, format="wav", seconds=MAX_SAMPLE_SECONDS)

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
                errors=[failures.BAD_LIMIT, *failures.WITH_KEY],
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
                    failures.MISSING_NAME,
                    unusable("audio_sample", _QUIET),
                    _FULL,
                    unknown_consent(samples.CONSENT_ID, "consent"),
                    _TOO_LARGE,
                    failures.NO_FORM,
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
                errors=[failures.MISSING_NAME, _UNKNOWN_VOICE, *_NO_BODY],
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
                errors=[failures.BAD_LIMIT],
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
                errors=[
                    failures.MISSING_NAME,
                    unusable("recording", _QUIET),
                    _FULL,
                    _TOO_LARGE,
                    failures.NO_FORM,
                    _BUSY,
                ],
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
                errors=[failures.MISSING_NAME, _UNKNOWN_CONSENT, *_NO_BODY],
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
