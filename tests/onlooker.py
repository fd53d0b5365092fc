"""Another client, in a process of its own, who reads light pages and notes how long each takes.

    python tests/onlooker.py ADDRESS SOURCE PATH…

It asks each path in turn until it is interrupted, then prints what it saw.
"""

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle

import httpx

PAUSE = 0.03  # seconds between two looks
PATIENCE = 60.0


@dataclass
class Look:
    """One page asked for: when, how long it took, and the status; 0 where none came."""

    began: float
    seconds: float
    status: int


@dataclass
class Seen:
    """What an onlooker saw, in order; times are those of `time.monotonic` on this machine."""

    looks: list[Look] = field(default_factory=list)

    def between(self, since: float, until: float) -> "Seen":
        """Return the looks that were under way between two times."""
        kept = (each for each in self.looks if since - each.seconds <= each.began <= until)
        return Seen(list(kept))

    @property
    def median(self) -> float:
        return statistics.median(each.seconds for each in self.looks) if self.looks else 0.0

    @property
    def longest(self) -> float:
        return max((each.seconds for each in self.looks), default=0.0)

    @property
    def statuses(self) -> set[int]:
        return {each.status for each in self.looks}


@contextmanager
def looking(address: str, source: str, paths: Sequence[str]) -> Iterator[Seen]:
    """Let an onlooker look meanwhile; what it saw is known at the end."""
    seen = Seen()
    command = [sys.executable, __file__, address, source, *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield seen
        finally:
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=PATIENCE * 2)
    seen.looks += [Look(*each) for each in json.loads(told)]


async def _look(address: str, source: str, paths: Sequence[str]) -> list[Look]:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopping.set)
    found = []
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with httpx.AsyncClient(
        base_url=address, transport=transport, timeout=PATIENCE, headers={"Accept": "text/html"}
    ) as client:
        for path in cycle(paths):
            began, status = time.monotonic(), 0
            with suppress(httpx.HTTPError):
                status = (await client.get(path)).status_code
            found.append(Look(began, time.monotonic() - began, status))
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), PAUSE)
            if stopping.is_set():
                return found
    return found


if __name__ == "__main__":
    address, source, *paths = sys.argv[1:]
    looks = asyncio.run(_look(address, source, paths))
    print(json.dumps([[each.began, each.seconds, each.status] for each in looks]))  # noqa: T201
