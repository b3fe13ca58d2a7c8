"""A model over HTTP: `gatewise serve`.

`POST /predict` takes one item as a body: a sound file (`audio/*`), text (`text/plain`) or a JSON
object as `gatewise.serving.predictor` describes. `POST /invocations` takes and gives what
`mlflow models serve` does. A request that makes no sense gets a 4xx and a sentence.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from gatewise.serving.predictor import Answer, BadInputError, Item, Predictor

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException

LARGEST_BODY = 32 * 2**20
MOST_ITEMS = 1024


class RefusedError(Exception):
    """A request that is answered with this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def application(predictor: Predictor, name: str) -> FastAPI:
    """The application that serves `predictor`.

    Args:
        predictor: the model.
        name: what to call it, as the user named it.
    """
    app = FastAPI(title="gatewise", openapi_url=None)
    # Answers are computed one at a time: a model uses as many threads as it was trained with,
    # and more at once would only slow each other down.
    lock = anyio.CapacityLimiter(1)

    async def ask(items: list[Item]) -> list[Answer]:
        return await anyio.to_thread.run_sync(predictor, items, limiter=lock)

    @app.get("/health")
    @app.get("/ping")
    async def health() -> dict[str, str]:
        record = predictor.record
        return {"model": name, "run": record.name, "takes": predictor.card.modality}

    @app.post("/predict")
    async def predict(request: Request) -> dict[str, Any]:
        body = await _body(request)
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        (answer,) = await ask([_item(body, kind)])
        return asdict(answer)

    @app.post("/invocations")
    async def invocations(request: Request) -> dict[str, Any]:
        answers = await ask(_rows(_parsed(await _body(request))))
        return {"predictions": [asdict(answer) for answer in answers]}

    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, error.status)

    @app.exception_handler(BadInputError)
    async def bad(_request: Request, error: BadInputError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def elsewhere(_request: Request, error: HTTPException) -> JSONResponse:
        known = "POST /predict, POST /invocations, GET /health"
        return JSONResponse({"error": f"{error.detail}; there are {known}"}, error.status_code)

    @app.exception_handler(Exception)
    async def failed(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": f"the server failed: {type(error).__name__}"}, 500)

    return app


async def _body(request: Request) -> bytes:
    """The body, refused as soon as it is too long."""
    too_long = RefusedError(413, f"the request is longer than {LARGEST_BODY // 2**20} MiB")
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
        raise too_long
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise too_long
        parts.append(part)
    return b"".join(parts)


def _item(body: bytes, kind: str) -> Item:
    if not body:
        raise RefusedError(400, "the request has no body")
    if kind == "application/json":
        value = _parsed(body)
        if not isinstance(value, dict):
            raise RefusedError(400, "the body must be a JSON object")
        return value
    if kind.startswith("audio/") or kind == "application/octet-stream":
        return {"audio": body}
    if kind == "text/plain":
        try:
            return {"text": body.decode()}
        except UnicodeDecodeError:
            raise RefusedError(400, "the text is not UTF-8") from None
    raise RefusedError(
        415, f"content type {kind or 'missing'}; use application/json, audio/wav or text/plain"
    )


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is not JSON") from None


def _rows(value: Any) -> list[Item]:
    """Items of MLflow's request formats `dataframe_records`, `dataframe_split` and `inputs`."""
    if not isinstance(value, dict):
        raise RefusedError(400, "the body must be a JSON object")
    if "dataframe_records" in value:
        rows = value["dataframe_records"]
    elif "dataframe_split" in value:
        rows = _from_split(value["dataframe_split"])
    elif isinstance(value.get("inputs"), dict):
        rows = _from_columns(value["inputs"])
    else:
        rows = value.get("inputs")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusedError(
            400,
            "give rows as dataframe_records, dataframe_split or inputs, each with named columns",
        )
    if not 0 < len(rows) <= MOST_ITEMS:
        raise RefusedError(400, f"{len(rows)} rows; from 1 to {MOST_ITEMS} are taken at once")
    return rows


def _from_split(split: Any) -> Any:
    try:
        return [dict(zip(split["columns"], row, strict=True)) for row in split["data"]]
    except (KeyError, TypeError, ValueError):
        raise RefusedError(400, "dataframe_split needs columns, and data of as many") from None


def _from_columns(columns: dict[str, Any]) -> Any:
    try:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    except (TypeError, ValueError):
        raise RefusedError(400, "inputs needs equally long columns") from None
