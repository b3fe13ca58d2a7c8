"""The process behind `gatewise serve`: uvicorn, with deadlines for clients that dawdle."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""Within which a request's head must be there, from connecting or from the answer before."""
MOST_CONNECTIONS = 64
"""More are told to come again (503); each may hold a body of 32 MiB."""
LARGEST_HEAD = 64 * 1024
GRACE_SECONDS = 5
"""For requests under way when the server is asked to end."""


class Protocol(H11Protocol):
    """HTTP/1.1 that hangs up on who does not send a request's head in time.

    uvicorn's own deadline (`timeout_keep_alive`) stops at a connection's first byte.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS * 2:
            transport.abort()  # not even worth a 503
            return
        self._expect_head()

    def handle_events(self) -> None:
        """Stop the clock once the head is whole."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_clock()

    def on_response_complete(self) -> None:
        """Start it again for the next request of the connection."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it for good."""
        self._stop_clock()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


def configured(app: Any, host: str, port: int, **more: Any) -> uvicorn.Config:
    """How a model is served.

    Args:
        app: ASGI application.
        host: address to listen on.
        port: port to listen on.
        more: further settings of uvicorn.
    """
    settings = {
        "log_level": "warning",
        "http": Protocol,
        "ws": "none",
        "lifespan": "off",
        "server_header": False,
        "proxy_headers": False,
        "limit_concurrency": MOST_CONNECTIONS,
        "timeout_keep_alive": 5,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "h11_max_incomplete_event_size": LARGEST_HEAD,
        **more,
    }
    return uvicorn.Config(app, host=host, port=port, **settings)


def serve(app: Any, host: str, port: int) -> None:
    """Serve until told to end."""
    uvicorn.Server(configured(app, host, port)).run()
