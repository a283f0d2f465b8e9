"""The routes of files and batches, as `gateway.routes` has them."""

from __future__ import annotations

from gateway import errors
from gateway.batches import archive, batches, batches_api, files, files_api
from gateway.batches.schemas import ArchiveQuery, BatchRequest, FileForm, FilePage
from gateway.errors import ApiError
from gateway.mounting import V1Route
from gateway.pages import Page
from gateway.reference import batches as samples
from gateway.reference import failures
from gateway.reference.operation import Answer, Operation, Parameter

_FILE_ID = {"file_id": Parameter("Id of the file, `file-…`.", samples.FILE_ID)}
_BATCH_ID = {"batch_id": Parameter("Id of the batch, `batch_…`.", samples.BATCH_ID)}
_UNKNOWN_FILE = batches.unknown_file(samples.FILE_ID)
_UNKNOWN_BATCH = batches.unknown_batch(samples.BATCH_ID)

BATCH_ROUTES = (
    V1Route(
        "/files",
        files_api.FilesResource,
        {
            "POST": Operation(
                id="createFile",
                tag="Batches",
                summary="Upload a file",
                description="Uploads the input of a batch: JSON Lines, each with `custom_id`, `method`, `url` and "
                "`body`. Its lines are checked when a batch is created with it.",
                body=FileForm,
                body_type="multipart/form-data",
                requests={"A file": {"file": samples.FILE_CONTENT, "purpose": "batch"}},
                answers=[Answer("The file.", samples.FILE)],
                errors=[
                    failures.missing("file"),
                    files.too_large("file"),
                    failures.NO_FORM,
                    failures.RATE_LIMITED,
                ],
            ),
            "GET": Operation(
                id="listFiles",
                tag="Batches",
                summary="List files",
                query=FilePage,
                answers=[Answer("The files.", samples.FILES)],
                errors=[failures.BAD_LIMIT, batches.unknown_file(samples.FILE_ID, param="after")],
            ),
        },
    ),
    V1Route(
        "/files/{file_id}",
        files_api.FileResource,
        {
            "GET": Operation(
                id="getFile",
                tag="Batches",
                summary="Retrieve a file",
                path=_FILE_ID,
                answers=[Answer("The file.", samples.FILE)],
                errors=[_UNKNOWN_FILE],
            ),
            "DELETE": Operation(
                id="deleteFile",
                tag="Batches",
                summary="Delete a file",
                path=_FILE_ID,
                answers=[Answer("It is deleted.", samples.FILE_DELETED)],
                errors=[
                    _UNKNOWN_FILE,
                    ApiError(
                        409,
                        "This file is the input of a batch that has not ended. Cancel the batch first.",
                        code="file_in_use",
                        param="file_id",
                    ),
                ],
            ),
        },
    ),
    V1Route(
        "/files/{file_id}/content",
        files_api.file_content,
        {
            "GET": Operation(
                id="getFileContent",
                tag="Batches",
                summary="Retrieve file content",
                path=_FILE_ID,
                answers=[Answer("The bytes of the file.", samples.FILE_CONTENT, ("application/octet-stream",))],
                errors=[_UNKNOWN_FILE, failures.RATE_LIMITED],
            )
        },
    ),
    V1Route(
        "/batches",
        batches_api.BatchesResource,
        {
            "POST": Operation(
                id="createBatch",
                tag="Batches",
                summary="Create a batch",
                description="Speaks every request of an uploaded file within 24 hours, at half the price. Batches "
                "have the lowest priority: workers take their requests while no other request waits. A line that "
                "is wrong fails the batch before anything is spoken; `errors` names the line and its member.",
                body=BatchRequest,
                requests=samples.BATCH_REQUEST,
                answers=[Answer("The batch.", samples.BATCH)],
                errors=[
                    errors.invalid(
                        "Invalid value for 'endpoint': expected '/v1/audio/speech' or '/v1/chat/completions'.",
                        param="endpoint",
                        code="unsupported_value",
                    ),
                    batches.unknown_file(samples.FILE_ID, param="input_file_id"),
                    failures.SMALL_TOO_LARGE,
                    failures.NO_JSON,
                    failures.RATE_LIMITED,
                ],
            ),
            "GET": Operation(
                id="listBatches",
                tag="Batches",
                summary="List batches",
                description="The newest first.",
                query=Page,
                answers=[Answer("The batches.", samples.BATCHES)],
                errors=[failures.BAD_LIMIT, _UNKNOWN_BATCH],
            ),
        },
    ),
    V1Route(
        "/batches/{batch_id}",
        batches_api.get_batch,
        {
            "GET": Operation(
                id="getBatch",
                tag="Batches",
                summary="Retrieve a batch",
                path=_BATCH_ID,
                answers=[Answer("The batch.", samples.BATCH)],
                errors=[_UNKNOWN_BATCH],
            )
        },
    ),
    V1Route(
        "/batches/{batch_id}/cancel",
        batches_api.cancel_batch,
        {
            "POST": Operation(
                id="cancelBatch",
                tag="Batches",
                summary="Cancel a batch",
                description="Stops a batch. What has been spoken by then is billed, and its results are kept.",
                path=_BATCH_ID,
                answers=[Answer("The batch.", samples.BATCH)],
                errors=[_UNKNOWN_BATCH, batches.already_ended("completed")],
            )
        },
    ),
    V1Route(
        "/batches/{batch_id}/audio",
        batches_api.get_batch_audio,
        {
            "GET": Operation(
                id="getBatchAudio",
                tag="Batches",
                summary="Retrieve batch audio",
                description="All audio that there is so far, as one tar or zip file. Each name begins with the "
                "number of the request's line in the input file and its `custom_id`.",
                path=_BATCH_ID,
                query=ArchiveQuery,
                answers=[Answer("The archive.", None, tuple(archive.MEDIA_TYPES.values()))],
                errors=[
                    errors.invalid(
                        "Invalid value for 'format': expected 'tar' or 'zip'.",
                        param="format",
                        code="unsupported_value",
                    ),
                    _UNKNOWN_BATCH,
                    batches_api.no_audio(),
                    failures.RATE_LIMITED,
                ],
            )
        },
    ),
)
