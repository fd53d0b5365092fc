"""A cache holds no more than it says, and says what it holds."""

import asyncio
import gc
import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thc_graph.instance.cache import DIGEST, SHARE, Cache, Together, digest

parts = st.lists(st.one_of(st.text(), st.none(), st.dates()), max_size=4)


@dataclass(frozen=True)
class Page:
    content: bytes
    links: dict[str, str]
    kind: object = None  # shared with others


@given(parts, parts)
def test_a_name_is_of_what_is_named(one: list[object], other: list[object]) -> None:
    assert len(digest(*one)) == DIGEST
    assert (digest(*one) == digest(*other)) == (one == other)


VALUES = {
    "bytes": lambda n: b"%05d" % n * 200,
    "small": lambda n: b"%05d" % n,
    "page": lambda n: Page(b"%05d" % n * 300, {f"/a/{n}.ttl": f'rel="alternate"; n="{n}"'}),
}


@pytest.mark.parametrize("kind", VALUES)
def test_what_is_counted_is_what_is_held(kind: str) -> None:
    cache, make = Cache(1 << 30), VALUES[kind]
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(6000):
        cache.put(digest("x" * 16_000, number), make(number))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.9 * held < cache.size < 1.1 * held


def test_the_longest_unasked_goes_first() -> None:
    cache = Cache(10_000)
    names = [digest(number) for number in range(9)]
    for name in names:
        cache.get(names[0])
        cache.put(name, bytes(1000))
    assert cache.get(names[0]) is not None
    assert cache.get(names[1]) is None
    assert cache.get(names[8]) is not None
    assert cache.size <= 10_000


def test_what_is_large_drives_nothing_out() -> None:
    cache = Cache(10_000)
    cache.put(digest("small"), b"small")
    cache.put(digest("large"), bytes(10_000 // SHARE))
    assert cache.get(digest("small")) == b"small"
    assert cache.get(digest("large")) is None


async def _leave() -> list[str]:
    done, together = [], Together()

    async def work() -> int:
        done.append("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            done.append("stopped")
            raise
        return 1

    waiting = [asyncio.create_task(together.make("key", work)) for _ in range(3)]
    for each in waiting:
        await asyncio.sleep(0)
        assert done[1:] == []
        each.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting, return_exceptions=True)
    return done


def test_work_ends_with_the_last_who_waits() -> None:
    assert asyncio.run(_leave()) == ["begun", "stopped"]
