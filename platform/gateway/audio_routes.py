"""The routes of stored audio and its captions, with their descriptions (see `gateway.routes`)."""

from __future__ import annotations

from gateway import audio, captions, errors
from gateway.mounting import V1Route
from gateway.reference import answers, batches, failures, samples
from gateway.reference.operation import Answer, Operation, Parameter
from inference.speech.formats import CONTENT_TYPES, FORMAT_NAMES, WEBM_CONTENT_TYPE

AUDIO_TYPES = (*CONTENT_TYPES.values(), WEBM_CONTENT_TYPE)
_AUDIO_ID = {"audio_id": Parameter("Id of the audio, from `x-audio-id` or `message.audio.id`.", samples.AUDIO_ID)}
_STORED_HEADERS = {
    "x-audio-seconds": "Duration of the audio.",
    "x-cost-usd": "What generating it cost, in US dollars.",
    "etag": "Send it back as `If-None-Match` or `If-Range`.",
}

AUDIO_ROUTES = (
    V1Route(
        "/audio/{audio_id:audio_id}",
        audio.AudioResource,
        {
            "GET": Operation(
                id="getAudio",
                tag="Audio",
                summary="Retrieve audio",
                description="Returns stored audio until it expires, in the format it was generated in or another.",
                path=_AUDIO_ID,
                query=audio.AudioQuery,
                headers={
                    "Range": Parameter("One range of bytes.", "bytes=0-65535"),
                    "If-None-Match": Parameter("The `etag` of a copy that you have.", f'"{samples.ID}-mp3"'),
                    "If-Range": Parameter("Ignore `Range` unless this is the `etag`.", f'"{samples.ID}-mp3"'),
                },
                answers=[
                    Answer("The audio.", None, AUDIO_TYPES, headers=_STORED_HEADERS),
                    Answer("The range.", None, AUDIO_TYPES, 206, _STORED_HEADERS),
                    Answer(
                        "It was asked for with `background: true`, and is not done.",
                        batches.SPEECH_ACCEPTED,
                        status=202,
                    ),
                    Answer("Your copy is current.", None, (), 304),
                ],
                errors=[
                    errors.invalid(
                        f"Invalid format 'xml'. Supported values: {', '.join(FORMAT_NAMES)}.",
                        param="format",
                        code="unsupported_value",
                    ),
                    failures.unknown_audio("audio_id"),
                    errors.expired(),
                    errors.ApiError(
                        416,
                        "Requested range not satisfiable: the audio has 48044 bytes.",
                        code="range_not_satisfiable",
                        param="range",
                    ),
                    batches.BACKGROUND_FAILED,
                    failures.RATE_LIMITED,
                ],
            ),
            "DELETE": Operation(
                id="deleteAudio",
                tag="Audio",
                summary="Delete audio",
                description="Deletes stored audio before it expires. Cancels a request in the background.",
                path=_AUDIO_ID,
                answers=[
                    Answer("It is deleted.", answers.Deleted(id=samples.AUDIO_ID, object="audio", deleted=True))
                ],
                errors=[failures.unknown_audio("audio_id"), errors.expired()],
            ),
        },
    ),
    *(
        V1Route(
            f"/audio/{{audio_id:audio_id}}/captions.{kind}",
            captions.route(kind),
            {
                "GET": Operation(
                    id=f"getCaptions{kind.capitalize()}",
                    tag="Audio",
                    summary=f"Retrieve captions as {name}",
                    description="When each word or sentence of an audio is spoken that was asked for with "
                    "`timestamps`; kept as long as the audio.",
                    path=_AUDIO_ID,
                    answers=[Answer("The captions.", sample, (captions.KINDS[kind],))],
                    errors=[
                        failures.unknown_audio("audio_id"),
                        captions.no_timestamps(samples.AUDIO_ID),
                        errors.expired(),
                        failures.RATE_LIMITED,
                    ],
                )
            },
        )
        for kind, name, sample in (
            ("vtt", "WebVTT", samples.CAPTIONS_VTT),
            ("srt", "SubRip", samples.CAPTIONS_SRT),
            ("json", "JSON", samples.CAPTIONS),
        )
    ),
)
