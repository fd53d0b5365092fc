"""Seals: by which a snapshot's folder is known to be as it was published.

`SEALS` stands in the folder and names each of its files with size, time and SHA-256; its
own last line is the digest of those before. A look compares sizes and times, and reads
only what was written since: a copy, or a harm. A thorough one reads everything, and so
finds what a disk has lost by itself. What a reader makes later, when it is first asked
for, is not sealed, nor is what the engines write for themselves.

A publication reads only the files that are new: one that is linked keeps its seal, and
so cannot hide a harm that it had before.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thc_graph.store import files

FILE: Final = "SEALS"
_OWN: Final = frozenset({FILE, "LOCK", "LOG"})  # ours, and what the engine may write at any time


@dataclass(frozen=True)
class Seal:
    """Of one file; `time` is when it was written, in nanoseconds."""

    sha256: str
    size: int
    time: int


@dataclass(frozen=True)
class Harm:
    """What became of a file, whose path is told from its folder; see `StoreUnsound`."""

    file: str
    harm: str


def put(folder: Path, former: Path | None) -> None:
    """Seal the files of a folder, those of `former` that are linked here as they were.

    What is new is forced to disk before: after a crash, no seal names a file that is not whole.
    """
    before = _read(former) or {} if former else {}
    found = {}
    for path in _sealable(folder):
        name, known = path.relative_to(folder).as_posix(), None
        with suppress(OSError):
            known = before.get(name) if former and path.samefile(former / name) else None
        if known is None:
            files.sync(path)
        found[name] = known or _sealed(path)
    for place in filter(Path.is_dir, (*folder.rglob("*"), folder)):
        files.sync(place)
    _write(folder, found)


def harms(folder: Path, *, thorough: bool = False) -> list[Harm]:
    """Return what is harmed in a sealed folder; one without its seals is harmed as a whole."""
    seals = _read(folder)
    if seals is None:
        return [Harm(FILE, harm_of(folder / FILE))]
    found = {name: _compared(folder / name, seal, thorough) for name, seal in seals.items()}
    told = [Harm(name, each) for name, each in found.items() if isinstance(each, str)]
    now = {name: each for name, each in found.items() if isinstance(each, Seal)}
    if not told and now != seals:  # a copy: the next look need not read it again
        with suppress(OSError):
            _write(folder, now)
    return told


def are_missing(folder: Path) -> bool:
    """Tell whether a folder has no seals at all, harmed or not."""
    return not (folder / FILE).exists()


def number(folder: Path) -> int:
    """Return how many files are sealed."""
    return len(_read(folder) or ())


def harm_of(path: Path) -> str:
    """Return what can be told of a harmed file by its size alone."""
    try:
        return "altered" if path.stat().st_size else "empty"
    except OSError:
        return "missing"


def _compared(path: Path, seal: Seal, thorough: bool) -> Seal | str:  # noqa: FBT001
    """Return the seal of a file as it stands, or its harm."""
    try:
        status = path.stat()
        if status.st_size != seal.size:
            return ("cut" if status.st_size else "empty") if seal.size else "altered"
        if status.st_mtime_ns == seal.time and not thorough:
            return seal
        found = _sealed(path)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    return found if found.sha256 == seal.sha256 else "altered"


def _sealed(path: Path) -> Seal:
    status = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Seal(digest, status.st_size, status.st_mtime_ns)


def _sealable(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_own = path.name in _OWN or path.name.startswith("LOG.") or path.suffix == ".lock"
        if path.is_file() and not is_own:
            yield path


def _write(folder: Path, seals: dict[str, Seal]) -> None:
    lines = [f"{s.sha256} {s.size} {s.time} {name}\n" for name, s in sorted(seals.items())]
    text = "".join(lines).encode()
    files.replace(folder / FILE, text + f"{hashlib.sha256(text).hexdigest()}\n".encode())


def _read(folder: Path) -> dict[str, Seal] | None:
    """Return the seals of a folder, None where they are not to be had."""
    try:
        *lines, last = (folder / FILE).read_bytes().splitlines(keepends=True)
    except (OSError, ValueError):
        return None
    if last.strip().decode("ascii", "replace") != hashlib.sha256(b"".join(lines)).hexdigest():
        return None
    found = {}
    for line in lines:
        sha256, size, time, name = line.decode().rstrip("\n").split(" ", 3)
        found[name] = Seal(sha256, int(size), int(time))
    return found
