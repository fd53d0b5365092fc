"""Exports: lists as files, each made in a process of its own and kept on disk with its snapshot.

A whole list is seconds of work and hundreds of megabytes: beside the server it keeps no
visitor waiting, ends by SIGKILL when nobody waits for it, and gives its memory back. What
is kept is an open file without a name: it takes no room once nobody reads it any more.
"""

import asyncio
import base64
import os
import pickle
import shutil
import sys
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from thc_graph.errors import QueryFailed, QueryOutOfMemory, QueryTimeout, StoreError
from thc_graph.processes import parent
from thc_graph.processes.parent import Child
from thc_graph.store.engine.lanes import Places, Room, asking

ROOM: Final = Room(2, 32)  # exports in the making, one of them of a client; that wait, half of them
SECONDS: Final = 120.0  # for one
IDLE: Final = 10.0  # seconds that a process may rest before it gives its memory back
PIECE: Final = 256 << 10  # bytes read at once
LEAST: Final = 1 << 20  # bytes that a file counts at least: it is a file handle too
START: Final = 30.0  # seconds until a process must be ready
PROGRAM: Final = "thc_graph.web.files.export_child"


@dataclass(eq=False)
class File:
    """A file without a name, gone from the disk with its last reader."""

    handle: int
    size: int

    def __del__(self) -> None:
        os.close(self.handle)

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self.handle, length, start)

    def add(self, content: bytes) -> None:
        """Write at the end; OSError where the disk is full."""
        while content:
            done = os.pwrite(self.handle, content, self.size)
            self.size, content = self.size + done, content[done:]

    async def pieces(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Give the content, read no faster than it is taken, and whether more comes."""
        at = 0
        while at < self.size:
            some = await asyncio.to_thread(self.read, at, PIECE)
            at += len(some)
            yield some, at < self.size


class Shelf:
    """Files by name, `most` bytes of them; the longest unasked goes first."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self._files: OrderedDict[bytes, File] = OrderedDict()

    def get(self, name: bytes) -> File | None:
        if name in self._files:
            self._files.move_to_end(name)
        return self._files.get(name)

    def put(self, name: bytes, file: File) -> None:
        if name in self._files or _room(file) > self.most:
            return
        self._files[name] = file
        self.size += _room(file)
        while self.size > self.most:
            self.size -= _room(self._files.popitem(last=False)[1])

    def clear(self) -> None:
        self._files.clear()
        self.size = 0


def _room(file: File) -> int:
    return max(LEAST, file.size)


@dataclass
class Exports:
    """The exports of one snapshot; `opening` is what a process must know of it, pickled.

    Whole lists have `size` bytes of disk, narrowed ones a quarter of it more: those of
    one visitor's invention never drive out those that everybody asks for. Packed ones
    have as much as narrowed ones.
    """

    root: Path
    size: int
    memory: int
    opening: Callable[[], bytes]
    places: Places = field(default_factory=lambda: Places(ROOM))
    _folder: Path | None = None
    _idle: list[Child] = field(default_factory=list)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.whole, self.narrowed = Shelf(self.size), Shelf(self.size // 4)
        self.packed = Shelf(self.size // 4)

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        return self.whole, self.narrowed, self.packed

    def place(self) -> AbstractAsyncContextManager[None]:
        """Hold one of the places at which exports are made; QueueFull if too many wait already."""
        end = asyncio.get_running_loop().time() + SECONDS
        return self.places.place(end, asking().name)

    async def make(self, job: Any) -> File:
        """Return the file of a job, made now by whoever holds a place.

        Raises:
            QueryFailed, QueryTimeout: It could not be made, or not in time.
        """
        child = await self._child()
        try:
            async with asyncio.timeout(SECONDS):
                return await self._made(child, job)
        except TimeoutError:
            raise QueryTimeout(SECONDS) from None
        except EOFError:
            raise QueryOutOfMemory(self.memory) from None
        finally:
            self._give_back(child)

    async def _made(self, child: Child, job: Any) -> File:
        file, path = self._begun()
        try:
            header, _ = await child.ask(parent.frame({"path": path, "job": _written(job)}))
        finally:
            os.unlink(path)  # noqa: PTH108 - it stays open
        if header["kind"] != "done":
            raise QueryFailed("a fault of the export")
        file.size = os.fstat(file.handle).st_size
        return file

    def blank(self) -> File | None:
        """Return a file to write, None where the disk is full."""
        try:
            file, path = self._begun()
            os.unlink(path)  # noqa: PTH108 - it stays open
        except OSError:
            return None
        return file

    def _begun(self) -> tuple[File, str]:
        handle, path = tempfile.mkstemp(dir=self._place())
        return File(handle, 0), path

    async def _child(self) -> Child:
        while self._idle:
            if (child := self._idle.pop()).alive:
                return child
            self._dismiss(child)
        child = await parent.start(_command(), parent.environment())
        try:
            await child.greet(_broken, START)
            opening = base64.b64encode(await asyncio.to_thread(self.opening)).decode()
            await child.ask(parent.frame({"opening": opening, "memory": self.memory}))
        except BaseException as fault:
            self._dismiss(child)
            if isinstance(fault, EOFError):
                raise StoreError("An export process did not start.") from None
            raise
        return child

    def _give_back(self, child: Child) -> None:
        if not child.alive:
            self._dismiss(child)
            return
        self._idle.append(child)
        asyncio.get_running_loop().call_later(IDLE, self._let_go, child)

    def _let_go(self, child: Child) -> None:
        if child in self._idle:
            self._idle.remove(child)
            self._dismiss(child)

    def _dismiss(self, child: Child) -> None:
        child.kill()
        leaving = asyncio.get_running_loop().create_task(child.reap())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    def _place(self) -> Path:
        """Return a folder for files in the making: the store's own disk, where it may be written.

        A dead server's is removed with the drafts of snapshots.
        """
        if self._folder is None:
            name = f".draft-{os.getpid()}-{os.urandom(4).hex()}"
            self._folder = self.root / "snapshots" / name
            try:
                self._folder.mkdir()
            except OSError:
                self._folder = Path(tempfile.mkdtemp(prefix="thc-graph-"))
        return self._folder

    async def stop(self) -> None:
        """Let go of processes and files; those still being read stay until they are."""
        for shelf in self.shelves:
            shelf.clear()
        while self._idle:
            self._dismiss(self._idle.pop())
        await asyncio.gather(*self._leaving, return_exceptions=True)
        if self._folder is not None:
            with suppress(OSError):
                shutil.rmtree(self._folder)


def _written(job: Any) -> str:
    return base64.b64encode(pickle.dumps(job)).decode()


def _broken(header: Mapping[str, Any]) -> StoreError:
    return StoreError(f"An export process did not start: {header['kind']}")


def _command() -> list[str]:
    return [sys.executable, "-I", "-m", PROGRAM, str(os.getpid())]
