"""The supervisor: the process that holds the sockets, and starts the one that serves again.

It opens no store, starts no thread and answers nobody, so that nothing a stranger sends
can end it. Whoever connects while no one serves waits in line at its sockets. What ends
as it should, with 0 or told to stop, ends it too, with the same code; so does what fails
before it ever served, since starting that again would hide why, and what starts no more
though it did once: who is refused learns more than who waits in line for nobody.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn

from thc_graph.processes.walls import die_with

SHORT: Final = 10.0  # seconds: what served and lived longer is started again at once
DELAYS: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before anything else is
TRIES: Final = 6  # starts in a row that may end before they serve
STOPS: Final = (signal.SIGTERM, signal.SIGINT)
RELAYED: Final = signal.SIGUSR1  # SIGTERM, passed on: who serves may have heard of it by itself
TOLD: Final = (signal.SIGTERM, RELAYED)  # by which who serves hears of one stop
WATCHED: Final = (*STOPS, signal.SIGCHLD)
KILLED: Final = 128  # and the number of the signal, as shells say it

log = logging.getLogger("thc_graph.supervisor")


@dataclass(frozen=True)
class Post:
    """What the process that serves knows of the one that started it."""

    restarts: int
    announce: Callable[[], object]  # that it serves


@dataclass
class _Past:
    """How those ended that were started, by which the next one is, later or never."""

    deaths: int = 0
    short: int = 0  # in a row
    failed: int = 0  # in a row, before they served
    has_served: bool = False

    def add(self, *, served: bool, seconds: float) -> None:
        self.deaths += 1
        self.short = 0 if served and seconds > SHORT else self.short + 1
        self.failed = 0 if served else self.failed + 1
        self.has_served = self.has_served or served

    def ends_with(self, code: int) -> bool:
        """Tell whether to end as it did, rather than to start another; log that tries ran out."""
        if self.failed == TRIES:
            facts = {"ending": code, "starts": self.failed}
            log.critical("the process that serves no longer starts", extra={"facts": facts})
        return self.failed == TRIES or not (self.has_served or code < 0)

    def delay(self) -> float:
        return DELAYS[min(self.short, len(DELAYS)) - 1] if self.short else 0.0


def stand_by(sockets: Sequence[socket.socket]) -> Post:
    """Return in each process that is to serve; the caller's own stays here until the last ends.

    `sockets` are closed here once it is told to stop, so that nobody waits in line any more.
    """
    for name in WATCHED:  # blocked and not ignored: a process with the id 1 must not lose them
        signal.signal(name, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    past = _Past()
    while True:
        reader, writer = os.pipe()
        began, pid = time.monotonic(), _fork()
        if not pid:
            os.close(reader)
            return Post(past.deaths, partial(os.write, writer, b"."))
        os.close(writer)
        code, is_told = _await(pid, sockets)
        past.add(served=_is_announced(reader), seconds=time.monotonic() - began)
        if is_told or code == 0 or past.ends_with(code):
            _leave(code)
        delay = past.delay()
        facts = {"pid": pid, "ending": code, "restarts": past.deaths, "again_in": delay}
        log.error("the process that serves died", extra={"facts": facts})
        if signal.sigtimedwait(STOPS, delay):
            _leave(0)


def _fork() -> int:
    """Fork; the child is a process as it would be without us, but that it dies with us."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent, pid = os.getpid(), os.fork()
    if not pid:
        die_with(parent)
        os.setpgid(0, 0)  # a Ctrl-C is told by us alone
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(RELAYED, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    return pid


def _await(pid: int, sockets: Sequence[socket.socket]) -> tuple[int, bool]:
    """Return how a process ended, less than 0 for a signal, and whether it was told to.

    What else ends here was left by it: the process with the id 1 is everybody's parent.
    """
    is_told = False
    while True:
        number = signal.sigwait(WATCHED)
        if number in STOPS:
            is_told = True
            os.kill(pid, RELAYED if number == signal.SIGTERM else number)
            for each in sockets:
                each.close()
            continue
        for ended, status in _ended():
            if ended == pid:
                return os.waitstatus_to_exitcode(status), is_told


def _is_announced(reader: int) -> bool:
    """Tell whether a process said that it served; what it left alive may hold the pipe open."""
    os.set_blocking(reader, False)
    try:
        return bool(os.read(reader, 1))
    except BlockingIOError:
        return False
    finally:
        os.close(reader)


def _ended() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not ended:
            return found
        found.append((ended, status))


def _leave(code: int) -> NoReturn:
    sys.exit(code if code >= 0 else KILLED - code)
