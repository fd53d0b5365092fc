"""Segments: files that never change and hold together what grows with each publication.

A snapshot links those of the former one and adds one of its own. The last ones, where
they are small beside what is added, are merged with it: so there are few of them, the
logarithm of all that is held to the base `FACTOR`, and what a publication writes is in
proportion to what it changes.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FACTOR: Final = 16  # how much more a segment holds than all that come after it


@dataclass(frozen=True)
class Segment:
    """A file, its place in the order of segments, and how many rows it holds."""

    path: Path
    place: int
    weight: int


def listed(folder: Path) -> list[Segment]:
    """Return the segments of a folder, the oldest first; none where there is no folder."""
    found = []
    for path in folder.glob("[0-9]*"):
        place, _, weight = path.name.partition("-")
        found.append(Segment(path, int(place), int(weight)))
    return sorted(found, key=lambda each: each.place)


def is_first(path: Path) -> bool:
    """Tell whether a segment has none before it."""
    return path.name.startswith(_name(0, 0)[:-1])


def alone(folder: Path, write: Callable[[Path], int]) -> None:
    """Fill a new folder with one segment; `write` makes its file and returns how many rows."""
    folder.mkdir()
    draft = folder / ".draft"
    weight = max(1, write(draft))
    draft.rename(folder / _name(0, weight))


def extend(
    folder: Path, former: Path, weight: int, write: Callable[[Path, list[Path]], None]
) -> None:
    """Fill a new folder from a former one, and add a segment.

    Args:
        folder: Where to; it is not there yet.
        former: The folder whose segments are linked.
        weight: The rows of what is added.
        write: Puts into a file what some segments hold, the oldest first, and what is added.
    """
    kept, merged = _parted(listed(former), max(1, weight))
    folder.mkdir()
    for each in kept:
        os.link(each.path, folder / each.path.name)
    place = merged[0].place if merged else kept[-1].place + 1 if kept else 0
    whole = max(1, weight) + sum(each.weight for each in merged)
    write(folder / _name(place, whole), [each.path for each in merged])


def _name(place: int, weight: int) -> str:
    return f"{place:06}-{weight}"


def _parted(held: list[Segment], weight: int) -> tuple[list[Segment], list[Segment]]:
    """Return the segments to keep, and the last ones that are to be merged with what is added."""
    count = len(held)
    while count and held[count - 1].weight <= FACTOR * weight:
        count -= 1
        weight += held[count].weight
    return held[:count], held[count:]
