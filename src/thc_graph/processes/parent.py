"""Children: the processes we ask, each one's socket, greeting and end.

A child speaks in frames: its program says which. It is asked one thing at a time; one that
was interrupted in the middle is unsound, and of no more use.
"""

import asyncio
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import socketpair
from typing import Any, Final

import pyoxigraph

import thc_graph
from thc_graph.errors import StoreError

START_SECONDS: Final = 10.0

_WORKER: Final = Path(__file__).parents[1] / "store/engine/query_child.py"
# Where a child finds what it imports, without all that a start of Python would look for.
PLACES: Final = json.dumps([str(Path(each.__path__[0]).parent) for each in (pyoxigraph, thc_graph)])
_PAUSE: Final = 0.002  # seconds from the moment a child lets go of its socket to its end


class _Channel(asyncio.Protocol):
    """The bytes a child has written; closed when it has ended, or is to end."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed = asyncio.Event()
        self.arrival = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.arrival.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.closed.set()
        self.arrival.set()

    async def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; EOFError when the child ends before."""
        while len(self.received) < size:
            if self.closed.is_set():
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
    """One process; `sound` while it stands between two exchanges."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        transport: asyncio.WriteTransport,
        channel: _Channel,
    ) -> None:
        self.process = process
        self.transport = transport
        self.channel = channel
        self.network_cut = False
        self.sound = False
        self.held: tuple[Path, ...] = ()  # the snapshots it was last told to hold open
        self.ended = asyncio.get_running_loop().create_task(self._reaped())

    @property
    def alive(self) -> bool:
        return self.sound and not self.channel.closed.is_set()

    async def greet(
        self,
        refusal: Callable[[Mapping[str, Any]], Exception],
        seconds: float = START_SECONDS,
    ) -> None:
        """Wait for the ready frame.

        Raises:
            StoreError: None came in time.
            Exception: Another one came; `refusal` says what it means.
        """
        try:
            async with asyncio.timeout(seconds):
                header = await self.channel.read_header()
        except (EOFError, TimeoutError):
            raise StoreError("A process did not start.") from None
        if header["kind"] != "ready":
            raise refusal(header)
        self.network_cut = header["network_cut"]
        self.sound = True

    async def ask(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        """Return header and body; EOFError when the child dies. Once interrupted, it is unsound."""
        self.sound = False
        self.transport.write(request)
        header = await self.channel.read_header()
        body = await self.channel.read(header.get("length", 0))
        self.sound = True
        return header, body

    def kill(self) -> None:
        self.sound = False
        self.process.kill()

    async def end(self) -> int:
        """Wait for the child's end, and return what it ended with: see `Popen.returncode`."""
        return await asyncio.shield(self.ended)

    async def reap(self) -> None:
        """Kill the child and return once it is gone and its socket is closed."""
        self.kill()
        self.transport.abort()
        await self.end()

    async def _reaped(self) -> int:
        await self.channel.closed.wait()
        while (code := self.process.poll()) is None:  # noqa: ASYNC110 - a process tells no event
            await asyncio.sleep(_PAUSE)
        return code


async def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: int | None = subprocess.DEVNULL,
) -> Child:
    """Start a process whose standard input and output are one socket, ours at the other end.

    By `subprocess` and never by the loop: uvloop runs Python's hooks in the copy that it
    forks, and a collector at work there closes the engine of a store, which waits for
    threads that the copy does not have, while the parent waits for the copy
    (MagicStack/uvloop#749). Here no Python runs between the fork and the program.
    `log` is where its standard error goes: None for where ours does.
    """
    ours, theirs = socketpair()
    with theirs:
        transport, channel = await asyncio.get_running_loop().create_unix_connection(
            _Channel, sock=ours
        )
        try:
            process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program; it is a moment
                command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=log,
                env=environment,
            )
        except OSError:
            transport.abort()
            raise
    return Child(process, transport, channel)


async def launch(snapshot: Path, memory: int, niceness: int) -> Child:
    """Start a query process over a snapshot; it is not ready before `Child.greet` returns."""
    child = await start(_command(snapshot, memory, niceness), environment())
    child.held = (snapshot,)
    return child


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
    return [sys.executable, "-I", "-S", str(_WORKER), PLACES, json.dumps(options)]


def environment() -> dict[str, str]:
    """Return a child's environment: nothing of ours but where to find Python's own library."""
    path = os.environ.get("LD_LIBRARY_PATH")
    return {"MALLOC_ARENA_MAX": "2"} | ({"LD_LIBRARY_PATH": path} if path else {})
