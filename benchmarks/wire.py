"""A client that takes next to nothing itself: one kept-alive connection, bytes in, bytes out.

A full client takes about a millisecond for each request, more than some servers: it would
hide what is to be compared. This one knows what the servers of peers.py send, no more.
"""

import socket
from select import select
from urllib.parse import urlencode

CHUNK = 1 << 16


class Wire:
    """One connection to a server on this machine, opened at the first request."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.host, self.port, self.seconds = host, port, seconds
        self._socket: socket.socket | None = None
        self._received = b""

    def get(self, path: str, accept: str, parameters: dict[str, str]) -> bytes:
        """Return the body of an answer.

        Raises:
            OSError: There is no server, it hung up, or its answer is no 200.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        head = (
            f"GET {path}{query} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Accept: {accept}\r\nAccept-Encoding: identity\r\n\r\n"
        )
        self._open().sendall(head.encode())
        told = self._until(b"\r\n\r\n").lower()
        body = self._body(told)
        if told.split(b" ", 2)[1] != b"200":
            raise OSError(f"{path}: {told.decode()}{body[:500]!r}")
        return body

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""

    def _open(self) -> socket.socket:
        """Return the connection, a new one where the server had ended the last."""
        if self._socket is not None and select([self._socket], [], [], 0)[0]:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection((self.host, self.port), self.seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _body(self, told: bytes) -> bytes:
        _, mark, rest = told.partition(b"content-length:")
        if mark:
            return self._take(int(rest.split(b"\r\n", 1)[0]))
        chunks = list[bytes]()
        while size := int(self._until(b"\r\n"), 16):
            chunks.append(self._take(size + 2)[:-2])
        self._until(b"\r\n")
        return b"".join(chunks)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            self._receive()
        found, _, self._received = self._received.partition(mark)
        return found

    def _take(self, size: int) -> bytes:
        while len(self._received) < size:
            self._receive()
        found, self._received = self._received[:size], self._received[size:]
        return found

    def _receive(self) -> None:
        assert self._socket is not None
        more = self._socket.recv(CHUNK)
        if not more:
            self.close()
            raise ConnectionResetError(f"{self.host}:{self.port} hung up.")
        self._received += more
