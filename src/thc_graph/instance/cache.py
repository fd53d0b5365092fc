"""The cache: what was made for one reader, kept for the next, in memory that has a bound.

A name is a digest: whatever strangers write in an address or a query, it takes no more
room than any other. What is counted is what is held: values, names and bookkeeping.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from hashlib import blake2b
from sys import getsizeof
from typing import Any, Final, TypeVar

Made = TypeVar("Made")

DIGEST: Final = 16  # bytes
ENTRY: Final = 240  # bytes that a name and its place in the cache take, measured
SHARE: Final = 4  # what is larger than a cache divided by this would drive out too much


def digest(*parts: Hashable) -> bytes:
    """Return a name of fixed size for what some values name together."""
    return blake2b(repr(parts).encode(), digest_size=DIGEST).digest()


def size_of(value: Any) -> int:
    """Return the bytes that a value holds for itself: texts, and what is made of them.

    What is neither is shared with others, and counts nothing.
    """
    match value:
        case bytes() | str():
            return getsizeof(value)
        case tuple() | list():
            return getsizeof(value) + sum(map(size_of, value))
        case Mapping():
            return getsizeof(value) + sum(size_of(each) for pair in value.items() for each in pair)
        case _:
            return 0


def _weight(value: Any) -> int:
    if not is_dataclass(value):
        return size_of(value)
    held = getattr(value, "__dict__", {})
    own = (size_of(getattr(value, each.name)) for each in fields(value))
    return getsizeof(value) + (getsizeof(held) if held else 0) + sum(own)


class Cache:
    """Values by digest, `most` bytes of them; the longest unasked goes first.

    A value is bytes, or a dataclass of them.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = self.hits = self.misses = 0
        self._kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: bytes) -> Any | None:
        """Return what is kept under a name, None where there is nothing."""
        found = self._kept.get(name)
        if found is None:
            return None
        self._kept.move_to_end(name)
        self.hits += 1
        return found[0]

    def put(self, name: bytes, value: Any) -> None:
        """Keep a value, unless it is so large that too many others would go."""
        size = ENTRY + _weight(value)
        if name in self._kept or size > self.most // SHARE:
            return
        self._kept[name] = (value, size)
        self.size += size
        while self.size > self.most:
            _, (_, gone) = self._kept.popitem(last=False)
            self.size -= gone

    def clear(self) -> None:
        self._kept.clear()
        self.size = 0


@dataclass
class _Making:
    """Work that several wait for."""

    task: asyncio.Task[Any]
    waiting: int = 0


class Together:
    """Work that is done once for all who ask for it at the same time.

    One who stops waiting disturbs no other; when the last one leaves, the work is stopped.
    """

    def __init__(self) -> None:
        self._making: dict[Hashable, _Making] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._making

    async def make(self, key: Hashable, work: Callable[[], Awaitable[Made]]) -> Made:
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = _Making(asyncio.ensure_future(_run(work)))
        making.waiting += 1
        try:
            found: Made = await asyncio.shield(making.task)
        finally:
            making.waiting -= 1
            if not making.waiting and self._making.get(key) is making:
                del self._making[key]
                making.task.cancel()
        return found


async def _run(make: Callable[[], Awaitable[Made]]) -> Made:
    return await make()
