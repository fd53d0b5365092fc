"""One server through every attack beside its engine, while another client reads light pages.

`attacks.py` holds what is done; each attack comes from an address of its own, so that no
quota shields the server from the next. `test_hostile.py` is the walk of the engine.
"""

import asyncio
import gc
import json
import re
import resource
import sys
import time
import tracemalloc
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import stores
from attacks import Attack, attacks, codes
from linux import listening, memory, size, tree, used
from onlooker import Seen, looking
from serving import running
from thc_graph.instance.cache import Cache
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings, write_settings
from thc_graph.store.writes.repository import Repository
from visiting import visiting
from wire import Came, Sent, exchange

pytestmark = [
    pytest.mark.all,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are read in /proc"),
]

MEBIBYTE = 1 << 20
LIMITS = {"memory": 400 * MEBIBYTE, "slow_seconds": 3.0}
ROOM = 768 * MEBIBYTE  # of address space, above what the server has at its start
WARM, IDLE, CALM, BUSY = 3.0, 4.0, 4.0, 2.0  # seconds
LIGHT = ("/doc/commune/68066", "/voc", "/doc/organisation/democratie-ouverte", "/limites")
ATTACK = 60.0  # seconds that the whole of an attack may take
WAIT = 1.0  # seconds that a light page may take, whatever others do
GRACE = 0.05  # seconds of noise in a median: this machine runs the attackers as well
REFUSALS = (503, 507)  # above 499, what the documentation says
LEAKS = (b"Traceback", b"site-packages", b"/src/thc_graph", b"python3", b"evil.example")
INJECTED = ("x-injected", "set-cookie", "server", "x-secret")


@dataclass
class Outcome:
    """What an attack did: when, and what was wrong with the answers."""

    began: float
    ended: float
    faults: list[str] = field(default_factory=list)


def mount(attack: Attack, place: tuple[str, int], source: str) -> Outcome:
    """Send the requests of an attack, so many at once, until they are done or it is too long."""
    began = time.monotonic()
    with ThreadPoolExecutor(attack.at_once) as threads:
        sent = [threads.submit(fault, place, source, each) for each in attack.requests]
        _, late = wait(sent, ATTACK)
        threads.shutdown(cancel_futures=True)
    faults = [each.result() for each in sent if not each.cancelled()]
    left = [f"{len(late)} of {len(sent)} not answered within {ATTACK:.0f} s"] if late else []
    return Outcome(began, time.monotonic(), [*left, *filter(None, faults)])


def fault(place: tuple[str, int], source: str, sent: Sent) -> str:
    """Send one request; return what is wrong with its answer, "" where nothing is."""
    try:
        wrong = wrongs(exchange(place, source, sent))
    except OSError as refused:
        wrong = [f"no connection: {type(refused).__name__}"]
    return f"{', '.join(wrong)} to {sent}" if wrong else ""


def wrongs(came: Came) -> list[str]:
    found = [f"leak of {leak.decode()}" for leak in LEAKS if leak in came.body]
    found += [f"header {name}" for name in INJECTED if name in came.headers]
    found += [f"{name} of another host" for name, v in came.headers.items() if "evil" in v]
    if came.status >= 500 and came.status not in REFUSALS:
        found.append(f"status {came.status}")
    return found


def traces(log: Path) -> list[str]:
    """Return what the server's log tells of faults."""
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        told = json.loads(line) if line.startswith("{") else {"trace": line}
        if "trace" in told or told.get("level") in ("error", "critical"):
            found.append(line[-600:])
    return found


def table(outcomes: dict[str, Outcome], seen: Seen, idle: float) -> Iterator[str]:
    """Give a line for each attack: how it went, and what the onlooker saw meanwhile."""
    yield f"{'idle':20} {idle * 1000:8.1f} ms\n"
    for name, each in outcomes.items():
        meanwhile = seen.between(each.began, each.ended)
        told = f"{meanwhile.median * 1000:8.1f} ms, at most {meanwhile.longest * 1000:8.1f} ms"
        yield f"{name:20} {told}; {each.ended - each.began:5.1f} s, {len(each.faults)} faults\n"


@pytest.fixture
def store(demo: Repository, tmp_path: Path) -> Path:
    """The demonstration under tighter limits; nothing is written in it."""
    root = stores.copied(demo, tmp_path).root
    write_settings(replace(read_settings(root), **LIMITS))
    return root


def test_nothing_beside_the_engine_is_felt_by_another(store: Path, tmp_path: Path) -> None:
    kinds, sources, log = list(attacks()), count(1), tmp_path / "log"
    assert sum(len(each.requests) for each in kinds) >= 400
    with ExitStack() as stack:
        pid, address = stack.enter_context(running(store, log=log))
        place = (urlsplit(address).hostname or "", urlsplit(address).port or 0)
        with looking(address, "127.0.0.2", LIGHT) as seen:
            time.sleep(WARM)
            began, living = time.monotonic(), listening(pid, place[1])
            time.sleep(IDLE)
            calm, before = time.monotonic(), memory(tree(pid))
            room = size(living[-1]) + ROOM
            resource.prlimit(living[-1], resource.RLIMIT_AS, (room, room))
            outcomes = {each.name: mount(each, place, f"127.0.2.{next(sources)}") for each in kinds}
            time.sleep(CALM)
            work = used(tree(pid))
            time.sleep(BUSY)
            work = used(tree(pid)) - work
            after, still = memory(tree(pid)), listening(pid, place[1])
    idle = seen.between(began, calm).median
    sys.stdout.write("".join(table(outcomes, seen, idle)))
    sys.stdout.write(f"{(after - before) >> 20} MiB more; {work:.2f} s of work left\n")
    meanwhile = {name: seen.between(each.began, each.ended) for name, each in outcomes.items()}
    assert still == living, "the server died, or was started again"
    assert traces(log) == []
    assert {name: each.faults for name, each in outcomes.items() if each.faults} == {}
    assert seen.statuses == {200}
    assert {name: it.longest for name, it in meanwhile.items() if it.longest > WAIT} == {}
    assert {n: it.median for n, it in meanwhile.items() if it.median > 2 * idle + GRACE} == {}
    assert work < 0.2 * BUSY, "work goes on though nobody listens"
    assert after - before < 100 * MEBIBYTE


SMALL = "SELECT%20*%7B%3Fs%20%3Fp%20%3Fo%7DLIMIT%20"
FILLING = (
    *(f"/doc/commune/{code}?source=1&x={code}" for code in codes()[:150]),
    *(f"/commune?page=2&x={number}" for number in range(150)),
    *(f"/commune?q=saint+{chr(97 + number)}" for number in range(26)),
    *(f"/sparql?query=ASK%7B%7D%23{number}{'x' * 7000}" for number in range(300)),
    *(f"/sparql?format=csv&query={SMALL}{number}" for number in range(120)),
)


def cached(text: str) -> float:
    return float(re.search(r"^thc_cache_bytes (.*)$", text, re.MULTILINE)[1])  # type: ignore[index]


def freed(cache: Cache) -> int:
    """Return the bytes that Python gives back when a cache is emptied."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    cache.clear()
    gc.collect()
    return before - tracemalloc.get_traced_memory()[0]


@pytest.mark.anyio
async def test_the_measure_of_the_cache_is_what_it_holds(demo: Repository) -> None:
    """What each gives back, when it is emptied of what visitors asked for, is what it told."""
    service = open_service(read_settings(demo.root))
    async with visiting(service) as client:
        for cache in service.caches:
            cache.clear()
        tracemalloc.start()
        for path in FILLING:
            await client.get(path, headers={"Accept": "text/html, text/csv"})
        urllib.parse.clear_cache()  # type: ignore[attr-defined]
        measured = cached((await client.get("/metrics")).text)
        caches = service.caches
        told = [each.size for each in caches]
        assert (measured, min(map(len, caches)) > 100) == (sum(told), True)
    await asyncio.sleep(0.1)  # timers of the last requests hold what these were sent
    held = [freed(each) for each in caches]
    tracemalloc.stop()
    sys.stdout.write(f"{told} bytes told, {held} held\n")
    assert [
        held for told, held in zip(told, held, strict=True) if abs(told - held) > held / 10
    ] == []
