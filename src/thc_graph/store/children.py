"""Children: the processes that answer queries, each one's pipes, greeting and end.

A child speaks in frames: `worker` says which. It is asked one thing at a time; one that
was interrupted in the middle is unsound, and of no more use.
"""

import asyncio
import json
import os
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

import pyoxigraph

from thc_graph.errors import StoreError

START_SECONDS: Final = 10.0

_WORKER: Final = Path(__file__).with_name("worker.py")
_LIBRARY: Final = Path(pyoxigraph.__file__).parent.parent


class _Channel(asyncio.SubprocessProtocol):
    """The bytes a child has written, and its end."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed = False
        self.arrival = asyncio.Event()
        self.gone = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        del fd
        self.received += data
        self.arrival.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del fd, exc
        self.closed = True
        self.arrival.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the child is reaped and its pipes are closed."""
        del exc
        self.closed = True
        self.arrival.set()
        self.gone.set()

    async def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; EOFError when the child ends before."""
        while len(self.received) < size:
            if self.closed:
                raise EOFError
            self.arrival.clear()
            await self.arrival.wait()
        wanted = bytes(self.received[:size])
        del self.received[:size]
        return wanted

    async def read_header(self) -> dict[str, Any]:
        size = struct.unpack(">I", await self.read(4))[0]
        header: dict[str, Any] = json.loads(await self.read(size))
        return header


class Child:
    """One worker process; `sound` while it stands between two exchanges."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, channel: _Channel, generation: int
    ) -> None:
        self.transport = transport
        self.channel = channel
        self.generation = generation
        self.network_cut = False
        self.sound = False

    @property
    def alive(self) -> bool:
        return self.sound and not self.channel.closed

    async def greet(self) -> None:
        """Wait for the ready frame; StoreError when the snapshot cannot be opened."""
        try:
            async with asyncio.timeout(START_SECONDS):
                header = await self.channel.read_header()
        except (EOFError, TimeoutError):
            raise StoreError("A query process did not start.") from None
        if header["kind"] != "ready":
            raise StoreError(f"The snapshot cannot be opened: {header['message']}")
        self.network_cut = header["network_cut"]
        self.sound = True

    async def ask(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        """Return header and body; EOFError when the child dies. Once interrupted, it is unsound."""
        self.sound = False
        cast("asyncio.WriteTransport", self.transport.get_pipe_transport(0)).write(request)
        header = await self.channel.read_header()
        body = await self.channel.read(header.get("length", 0))
        self.sound = True
        return header, body

    def kill(self) -> None:
        self.sound = False
        with suppress(ProcessLookupError):
            self.transport.kill()

    async def reap(self) -> None:
        """Kill the child and return once it is gone and its pipes are closed."""
        self.kill()
        try:
            await self.channel.gone.wait()
        finally:
            self.transport.close()


async def launch(snapshot: Path, memory: int, niceness: int, generation: int) -> Child:
    """Start a process over a snapshot; it is not ready before `Child.greet` returns."""
    transport, channel = await asyncio.get_running_loop().subprocess_exec(
        _Channel,
        *_command(snapshot, memory, niceness),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
    )
    return Child(transport, channel, generation)


def frame(request: Mapping[str, Any]) -> bytes:
    """Return a request as a child reads it."""
    content = json.dumps(request).encode()
    return struct.pack(">I", len(content)) + content


def _command(snapshot: Path, memory: int, niceness: int) -> list[str]:
    options = {
        "snapshot": str(snapshot),
        "memory": memory,
        "nice": niceness,
        "parent": os.getpid(),
    }
    return [sys.executable, "-I", "-S", str(_WORKER), str(_LIBRARY), json.dumps(options)]


def _environment() -> dict[str, str]:
    """Return a child's environment: nothing of ours but where to find Python's own library."""
    path = os.environ.get("LD_LIBRARY_PATH")
    return {"MALLOC_ARENA_MAX": "2"} | ({"LD_LIBRARY_PATH": path} if path else {})
