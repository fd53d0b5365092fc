"""Doors: one process, one service, two ports that share nothing else.

The editors' door has a port of its own, so that the public one holds no route that
writes, and so that a firewall or an address of its own can keep it.
"""

import socket

from starlette.types import ASGIApp, Receive, Scope, Send


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        OSError: The address is taken, or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


class Doors:
    """ASGI application: requests that come in by the editors' port are theirs alone."""

    def __init__(self, public: ASGIApp, editors: ASGIApp, port: int) -> None:
        self.public, self.editors, self.port = public, editors, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inside = scope["type"] != "lifespan" and (scope.get("server") or ("", 0))[1] == self.port
        await (self.editors if inside else self.public)(scope, receive, send)
