"""Whether a port can be listened on, before anything is printed that promises it."""

from __future__ import annotations

import socket

from gatewise.errors import GatewiseError

TRIED = 100
"""Ports above the wanted one that are looked at for an offer."""


def require_free(host: str, port: int) -> None:
    """Refuse a port that is taken, and offer the next one that is not; 0 takes any.

    Raises:
        GatewiseError: somebody listens there, or this machine has no such address.
    """
    reason = _refusal(host, port)
    if reason is None:
        return
    free = next((p for p in range(port + 1, min(port + TRIED, 65536)) if not _refusal(host, p)), 0)
    offer = f"; {free} is free: --port {free}" if free else ""
    raise GatewiseError(f"{host}:{port} cannot be listened on ({reason}){offer}")


def _refusal(host: str, port: int) -> str | None:
    """Why it cannot be listened on; nothing if it can."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as tried:
            # As servers do: what a closed connection left behind is no listener.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
            tried.listen(1)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None
