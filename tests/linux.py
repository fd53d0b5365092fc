"""What the processes of a server hold and use, as Linux tells it."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it, parents first."""
    parents = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        parents[parent].append(int(stat.parent.name))
    found, further = [], [pid]
    while further:
        found.append(further.pop(0))
        further += parents[found[-1]]
    return found


def listening(pid: int, port: int) -> list[int]:
    """Return those of a tree that hold the socket that listens on a port, parents first.

    They live as long as the server does; the processes of queries come and go.
    """
    sockets = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
            sockets.add(f"socket:[{fields[9]}]")
    return [each for each in tree(pid) if sockets & _handles(each)]


def _handles(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):  # it ended meanwhile, or is not ours
        for each in Path(f"/proc/{pid}/fd").iterdir():
            found.add(str(each.readlink()))
    return found


def memory(pids: list[int]) -> int:
    """Return the bytes that processes hold; what they share is shared out."""
    return sum(_proportional(pid) for pid in pids)


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def size(pid: int) -> int:
    """Return the bytes of address space of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmSize:"))


def used(pids: list[int]) -> float:
    """Return the seconds of processor that processes have used so far."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
