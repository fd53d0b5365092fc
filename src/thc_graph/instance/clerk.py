"""The clerk: the one process of a server that writes to its store.

Started as `python -I -m thc_graph.instance.clerk OPTIONS`, it first finishes what a crash
interrupted, says that it is ready, and then does what it is asked, one thing after the
other: `writing` says how it is spoken to. It ends with its parent, has no network unless a
remote engine follows the store, and may touch so much memory. What a stranger's update
changes is worked out by a child of its own (`store.writes.update_process`), which can be
killed alone.
"""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from thc_graph.errors import RemoteRefused, StoreFull, StoreFullLate, StoreLocked, ThcGraphError
from thc_graph.instance import crossing, instance
from thc_graph.instance.settings import Resources, Settings
from thc_graph.processes.frames import Header, receive, send
from thc_graph.processes.walls import cut_network, depend_on, limit_memory
from thc_graph.store.writes import permissions, recovery, updates
from thc_graph.store.writes.permissions import GraphName, Role
from thc_graph.store.writes.repository import Repository
from thc_graph.store.writes.update_process import Desk
from thc_graph.store.writes.updates import Condition, Edit

MEMORY: Final = 2 << 30
NICENESS: Final = 5  # what is written gives way to pages; visitors' queries give way to it
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL: Final = ("No space left on device", "disk is full", "Disk quota exceeded")

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clerk:
    """Works for one store."""

    repository: Repository
    desk: Desk
    base: str

    def answer(self, request: Mapping[str, Any], body: bytes) -> Header:
        """Do one thing; never raises for what a stranger sends."""
        try:
            return self._requests[request["kind"]](request, body)
        except ThcGraphError as error:
            return crossing.error_header(error)
        except Exception as error:  # noqa: BLE001 - told to the log, and the clerk goes on
            if is_full(error):
                return crossing.error_header(_full(self.repository))
            _LOG.exception("fault of the clerk")
            return {"kind": "fault"}

    @property
    def _requests(self) -> Mapping[str, Callable[[Mapping[str, Any], bytes], Header]]:
        return {"publish": self.publish}

    def publish(self, request: Mapping[str, Any], body: bytes) -> Header:
        role, condition = request["role"], Condition(**request["condition"])
        edit = Edit({**request["edit"], "most": permissions.most(role)}, body, condition)
        may_write = partial(self.may_write, role)
        author, message = request["author"], request["message"]
        written = updates.write(self.repository, self.desk, edit, author, message, may_write)
        return crossing.written_header(written)

    def may_write(self, role: Role, graph: GraphName) -> bool:
        return not self.repository.ruled or permissions.may_write(role, graph, self.base)


def _full(repository: Repository) -> StoreFull:
    """Return what a disk without room left of a write: nothing, or a commit to be published."""
    head, published = repository.history.head, recovery.pointed(repository.root)
    if head is None or (published and published.commit == head):
        return StoreFull()
    return StoreFullLate(head)


def is_full(error: BaseException | None) -> bool:
    """Tell whether a disk without room is behind an error; libraries say it in their words."""
    while error is not None:
        if getattr(error, "errno", None) in _NO_ROOM or any(each in str(error) for each in _FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def _follow(settings: Settings, repository: Repository) -> None:
    """Bring the remote engine to the published commit; one that fails is behind, and told."""
    try:
        with instance.mirror(settings) as mirror:
            for _ in mirror.follow(repository):
                pass
    except RemoteRefused as refusal:
        _LOG.warning("Published here and not on the remote engine: %s", refusal.why)


def _recover(repository: Repository) -> Header:
    """Finish what a crash interrupted, and say so; another writer at work does it itself.

    A remote engine is not waited for: filling one may take half an hour.
    """
    is_locked = False
    try:
        at_once = replace(repository, follow=None, lock_seconds=0, mending=recovery.log)
        recovery.make_sure(at_once)
        with at_once.writing():
            pass
    except StoreLocked:
        is_locked = True
    except ThcGraphError as error:
        return crossing.error_header(error)
    except Exception as error:
        if not is_full(error):
            raise
        return crossing.error_header(_full(repository))
    return {"kind": "ready", "locked": is_locked}


def serve(
    settings: Settings,
    files: Resources,
    source: BinaryIO,
    target: BinaryIO,
    *,
    network_cut: bool,
) -> None:
    """Answer requests until the parent hangs up."""
    repository = instance.repository(settings, files)
    if settings.remote_update and settings.is_ruled:
        repository = replace(repository, follow=partial(_follow, settings))
    greeting = _recover(repository)
    send({**greeting, "network_cut": network_cut}, target=target)
    if greeting["kind"] != "ready":
        return
    limit_memory(max(MEMORY, 2 * settings.memory))
    clerk = Clerk(
        repository, Desk(settings.store, settings.update_seconds, settings.memory), settings.base
    )
    while (request := receive(source)) is not None:
        body = source.read(request["length"])
        if len(body) < request["length"]:
            break  # the server died as it spoke: what is cut short is not what was asked
        send(clerk.answer(request, body), target=target)
    clerk.desk.clear()


def _own(descriptor: int, mode: str) -> BinaryIO:
    """Return a standard stream for ourselves alone: what libraries print goes nowhere."""
    stream = os.fdopen(os.dup(descriptor), mode)
    with Path(os.devnull).open("r+b") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)
    return stream  # type: ignore[return-value]  # it is of bytes


def main() -> None:
    options = json.loads(sys.argv[1])
    depend_on(options["parent"])
    os.nice(NICENESS)
    facts = options["settings"]
    settings = Settings(**{**facts, "store": Path(facts["store"])})
    files = Resources(*map(Path, options["files"]))
    network_cut = not settings.remote_update and cut_network()
    serve(settings, files, _own(0, "rb"), _own(1, "wb"), network_cut=network_cut)


if __name__ == "__main__":
    main()
