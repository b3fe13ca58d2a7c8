"""A model over HTTP: `gatewise serve`.

`POST /predict` takes one item as a body: a sound file (`audio/*`), text (`text/plain`) or a JSON
object as `gatewise.serving.predictor` describes. `POST /invocations` takes and gives what
`mlflow models serve` does. A request that makes no sense gets a 4xx and a sentence, one that asks
for too much a 413 (`gatewise.serving.budget`), and one that nobody waits for is given up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gatewise.artifacts.objectives.base import Answer
from gatewise.serving import rows
from gatewise.serving.budget import AbandonedError, BadInputError, Budget, TooMuchError
from gatewise.serving.predictor import Item, Predictor
from gatewise.serving.rows import RefusedError

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException

LARGEST_BODY = 32 * 2**20
LARGEST_BODIES = 256 * 2**20
"""Bytes of all requests that are being read or wait for their answer."""
BODY_SECONDS = 30.0
"""Within which a body must be there."""
_NOBODY = 499  # a status that nobody reads


class Answering:
    """Computes answers, one request at a time, and drops what nobody waits for any more."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        # A model uses as many threads as it was trained with; more at once would only slow each
        # other down, and share the memory.
        self._one = anyio.CapacityLimiter(1)
        self._held = 0

    async def body(self, request: Request) -> bytes:
        """The body, refused as soon as it is too long or too slow."""
        too_long = RefusedError(413, f"the request is longer than {LARGEST_BODY // 2**20} MiB")
        claimed = request.headers.get("content-length") or "0"
        if not claimed.isdigit() or len(claimed) > 18 or int(claimed) > LARGEST_BODY:
            raise too_long
        parts: list[bytes] = []
        size = 0
        try:
            with anyio.fail_after(BODY_SECONDS):
                async for part in request.stream():
                    size += len(part)
                    self._held += len(part)
                    if size > LARGEST_BODY:
                        raise too_long
                    if self._held > LARGEST_BODIES:
                        raise RefusedError(503, "too many large requests at once; try again")
                    parts.append(part)
        except TimeoutError:
            raise RefusedError(
                408, f"the body did not arrive within {BODY_SECONDS:.0f} s"
            ) from None
        finally:
            self._held -= size
        return b"".join(parts)

    async def ask(self, request: Request, items: Callable[[], list[Item]]) -> list[Answer]:
        """Answers to what `items` finds in the body of `request`."""
        budget = Budget()

        def work() -> list[Answer]:
            return self.predictor(items(), budget)

        outcome: list[list[Answer] | Exception] = []
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                budget.abandon()
                group.cancel_scope.cancel()

            group.start_soon(watch)
            try:
                outcome.append(await anyio.to_thread.run_sync(work, limiter=self._one))
            except Exception as error:  # raised below, outside the group that would wrap it
                outcome.append(error)
            finally:
                budget.abandon()  # also when the server ends
            group.cancel_scope.cancel()
        answer = outcome[0] if outcome else AbandonedError()
        if isinstance(answer, Exception):
            raise answer
        return answer


def application(predictor: Predictor, name: str) -> FastAPI:
    """The application that serves `predictor`.

    Args:
        predictor: the model.
        name: what to call it, as the user named it.
    """
    app = FastAPI(title="gatewise", openapi_url=None)
    answering = Answering(predictor)

    @app.get("/health")
    @app.get("/ping")
    async def health() -> Response:
        record = predictor.record
        return _json({"model": name, "run": record.name, "takes": predictor.card.modality})

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        body = await answering.body(request)
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        (answer,) = await answering.ask(request, lambda: [rows.item(body, kind)])
        return _json(answer.plain())

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        body = await answering.body(request)
        answers = await answering.ask(request, lambda: rows.rows(rows.parsed(body)))
        return _json({"predictions": [answer.plain() for answer in answers]})

    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> Response:
        return _sentence(str(error), error.status)

    @app.exception_handler(BadInputError)
    async def bad(_request: Request, error: BadInputError) -> Response:
        return _sentence(str(error), 400)

    @app.exception_handler(TooMuchError)
    async def too_much(_request: Request, error: TooMuchError) -> Response:
        return _sentence(str(error), 413)

    @app.exception_handler(AbandonedError)
    @app.exception_handler(ClientDisconnect)
    async def abandoned(_request: Request, _error: Exception) -> Response:
        return _sentence("nobody waits for this answer", _NOBODY)

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def elsewhere(_request: Request, error: HTTPException) -> Response:
        known = "POST /predict, POST /invocations, GET /health"
        return _sentence(f"{error.detail}; there are {known}", error.status_code)

    @app.exception_handler(Exception)
    async def failed(_request: Request, error: Exception) -> Response:
        return _sentence(f"the server failed: {type(error).__name__}", 500)

    return app


def _sentence(sentence: str, status: int) -> Response:
    return _json({"error": sentence[:2000]}, status)


def _json(content: Any, status: int = 200) -> Response:
    """JSON in ASCII: a sentence may quote half a character, which UTF-8 cannot hold."""
    return Response(json.dumps(content).encode(), status, media_type="application/json")
