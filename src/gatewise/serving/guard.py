"""Who may ask: hosts that requests may name, and a token.

A server on localhost is open to every page that a browser on this machine shows, if the page's
own name is made to point here (DNS rebinding). Such a request names the page's host, not ours.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN = "GATEWISE_TOKEN"  # noqa: S105  # the name of the variable
OPEN = ("/health", "/ping")
"""Answered without a token, to whoever looks after the process."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # recognised, not listened on


def is_local(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, more: Iterable[str] = ()) -> frozenset[str]:
    """Names by which a server that listens on `host` may be asked.

    Args:
        host: what it listens on.
        more: further names, as of a proxy before it.
    """
    names = {*LOOPBACK, *(name.lower() for name in more)}
    if host in EVERYWHERE:
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    else:
        names.add(host.lower())
    return frozenset(names)


class Guard:
    """ASGI middleware that refuses foreign hosts, and whoever lacks the token if there is one."""

    def __init__(
        self, app: ASGIApp, hosts: frozenset[str], *, addresses: bool = False, token: str = ""
    ) -> None:
        """Guard `app`.

        Args:
            app: what is guarded.
            hosts: names that requests may give as their host.
            addresses: whether any address in numbers will do, too; no name can be made to look
                like one.
            token: what requests must carry as `Authorization: Bearer ...`; nothing if empty.
        """
        self.app = app
        self.hosts = hosts
        self.addresses = addresses
        self.token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = _name(headers.get(b"host", b"").decode("latin-1"))
            if host and not self._knows(host):
                await _refuse(
                    send,
                    403,
                    "this server does not go by that host name; start it with --allow-host to "
                    "let it",
                )
                return
            if self.token and scope["path"] not in OPEN:
                given = headers.get(b"authorization", b"")
                if not hmac.compare_digest(given, b"Bearer " + self.token):
                    await _refuse(
                        send, 401, "send the server's token as `Authorization: Bearer <token>`"
                    )
                    return
        await self.app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        if host in self.hosts:
            return True
        if not self.addresses:
            return False
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True


def _name(host: str) -> str:
    """The name in a Host header, without the port and the brackets of IPv6."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
