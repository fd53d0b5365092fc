"""Walls: what a child puts around itself before it works: no network, so much memory, a parent."""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

STACK: Final = 256 * 1024 * 1024


def depend_on(parent: int) -> None:
    """Die with the parent, and by its hand alone: a Ctrl-C or a stop is told to it."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    die_with(parent)


def die_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        raise SystemExit(1)


def cut_network() -> bool:
    """Move to a network without interfaces and say whether that worked.

    It must come before the first thread. A container may forbid it.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None).unshare
    return bool(unshare(0x10000000 | 0x40000000) == 0 or unshare(0x40000000) == 0)


def limit_memory(memory: int) -> None:
    """Let the process touch about `memory` bytes, its stack of 256 MiB among them.

    The limit is one of address space; what is reserved by now and never touched
    (allocator arenas, stacks of RocksDB's threads) is added to it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reserved = 0
    if sys.platform == "linux":
        pages, resident = Path("/proc/self/statm").read_text().split()[:2]
        reserved = (int(pages) - int(resident)) * resource.getpagesize() - STACK
    limit = memory + max(0, reserved)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
