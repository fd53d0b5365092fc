"""The desk: where the child sits that works out what writes change.

One child at a time, kept for the next write as long as it answers well; it is killed
at the deadline, and another one takes its place.
"""

import json
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pyoxigraph import RdfFormat, parse

from thc_graph.errors import (
    DocumentError,
    EditTooLarge,
    FunctionUnknown,
    QueryFailed,
    QueryNotAcceptable,
    QueryOutOfMemory,
    QuerySyntaxError,
    QueryTimeout,
)
from thc_graph.processes.parent import PLACES
from thc_graph.rdf.changes import ChangeSet
from thc_graph.store.snapshots import claims
from thc_graph.store.snapshots import snapshot as snapshots

_EDITOR: Final = Path(__file__).with_name("update_child.py")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What the child found; `digest` names the content the graph had, None where it was empty."""

    header: Mapping[str, Any]
    payload: bytes = field(repr=False)

    @property
    def digest(self) -> str | None:
        return self.header["digest"] if self.header.get("existed") else None

    def change(self) -> ChangeSet:
        rows = self.payload.decode().split("\n")  # not splitlines: literals hold other line ends
        removed, added = (
            parse("\n".join(row[2:] for row in rows if row.startswith(mark)), RdfFormat.N_QUADS)
            for mark in ("D ", "A ")
        )
        return ChangeSet(frozenset(removed), frozenset(added))


class Desk:
    """Works for one store, one request after the other; `seconds` and `memory` (bytes) bound it."""

    def __init__(self, root: Path, seconds: float, memory: int) -> None:
        self.root, self.seconds, self.memory = root, seconds, memory
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def work(self, request: Mapping[str, Any], body: bytes = b"") -> Result:
        """Return what the child makes of a request, against the published snapshot.

        Raises:
            QuerySyntaxError, DocumentError: The update, or the document, is at fault.
            EditTooLarge: It changes more quads than `most` of the request.
            QueryNotAcceptable: A graph cannot be written in the syntax asked for.
            QueryTimeout: The child was stopped at its time limit.
            QueryFailed: It died, of too much memory for one, or found no way.
            StoreMissing: Nothing was ever published.
        """
        with self._turn, claims.scratch(self.root) as folder:
            snapshot = snapshots.current(self.root)
            places = {"snapshot": str(snapshot.quads), "scratch": str(folder / "quads")}
            facts = {"most": None, **request, **places, "length": len(body)}
            header, payload = self._ask(facts, body)
        if header["kind"] == "memory":
            raise QueryOutOfMemory(self.memory)
        return _result(header, payload, is_update=request["kind"] == "update")

    def _ask(self, request: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        child = self._seated()
        start, timer = time.monotonic(), threading.Timer(self.seconds, child.kill)
        timer.start()
        try:
            return _exchange(child, json.dumps(request).encode(), body)
        except (EOFError, OSError):
            overdue = time.monotonic() - start >= self.seconds
            self.clear()
            raise QueryTimeout(self.seconds) if overdue else self._death(child) from None
        finally:
            timer.cancel()

    def _death(self, child: "subprocess.Popen[bytes]") -> QueryFailed:
        """Return what ended a child: an allocation refused aborts it, and nothing else does."""
        aborted = child.returncode == -signal.SIGABRT
        return QueryOutOfMemory(self.memory) if aborted else QueryFailed("crash")

    def _seated(self) -> "subprocess.Popen[bytes]":
        if self._child is None or self._child.poll() is not None:
            options = json.dumps({"memory": self.memory, "parent": os.getpid()})
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", str(_EDITOR), PLACES, options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Else each of the engine's threads sets 64 MiB aside, out of our `memory`.
                env={**os.environ, "MALLOC_ARENA_MAX": "1"},
            )
        return self._child

    def clear(self) -> None:
        """Send the child away, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(OSError):  # what it did not read is lost
                child.communicate()
            child.wait()


def _exchange(
    child: "subprocess.Popen[bytes]", frame: bytes, body: bytes
) -> tuple[dict[str, Any], bytes]:
    assert child.stdin is not None
    child.stdin.write(struct.pack(">I", len(frame)) + frame + body)
    child.stdin.flush()
    size = struct.unpack(">I", _read(child, 4))[0]
    header: dict[str, Any] = json.loads(_read(child, size))
    return header, _read(child, header.get("length", 0))


def _read(child: "subprocess.Popen[bytes]", size: int) -> bytes:
    assert child.stdout is not None
    content = child.stdout.read(size)
    if len(content) < size:
        raise EOFError
    return content


def _result(header: dict[str, Any], payload: bytes, *, is_update: bool) -> Result:
    match header["kind"]:
        case "change" | "graph":
            return Result(header, payload)
        case "syntax":
            error = QuerySyntaxError if is_update else DocumentError
            raise error(header["message"], header["line"], header["column"])
        case "not-acceptable":
            raise QueryNotAcceptable(header["offered"])
        case "too-many":
            raise EditTooLarge(header["limit"])
        case "unknown-function":
            raise FunctionUnknown(header["function"])
        case "too-large":
            raise QueryFailed("the graph is larger than what is read in one go")
        case _:  # the engine's words may name paths: they are for the log alone
            _LOG.warning("A write failed: %s", header["message"])
            raise QueryFailed("a fault of the engine")
