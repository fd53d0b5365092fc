"""Kinds of damage to a store: each file missing, empty, cut or flipped; and what comes of it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thc_graph.store.history.commits import History


@dataclass(frozen=True)
class Target:
    """A file of a store, as a glob; `outcome` is what a command makes of its damage.

    "rebuilt": made again from the history, and told. "refused": named, with a remedy, and
    nothing is published. "told": by `doctor` alone, as nothing else needs it. "harmless":
    nobody needs it.
    """

    glob: str
    outcome: str
    damages: tuple[str, ...] = ("missing", "empty", "cut", "flipped")
    but: tuple[tuple[str, str], ...] = ()  # damages with another outcome

    def of(self, damage: str) -> str:
        return dict(self.but).get(damage, self.outcome)


TARGETS: Final = {
    "pointer": Target("CURRENT", "rebuilt"),
    "seals": Target("{snapshot}/SEALS", "rebuilt"),
    "engine's pointer": Target("{snapshot}/quads/CURRENT", "rebuilt"),
    "engine's manifest": Target("{snapshot}/quads/MANIFEST-*", "rebuilt"),
    "engine's options": Target("{snapshot}/quads/OPTIONS-*", "rebuilt"),
    "engine's identity": Target("{snapshot}/quads/IDENTITY", "rebuilt"),
    "table": Target("{snapshot}/quads/*.sst", "rebuilt"),
    "index": Target("{snapshot}/index-*/meta.json", "rebuilt"),
    "index's files": Target("{snapshot}/index-*/.managed.json", "rebuilt"),
    "terms": Target("{snapshot}/index-*/*.term", "rebuilt"),
    "names": Target("{snapshot}/names*", "rebuilt"),
    "touches": Target("{snapshot}/touches*/*", "rebuilt"),
    "erased": Target("history/ERASED", "rebuilt"),
    "head": Target("history/HEAD", "refused"),
    "last commit": Target("history/{head}.patch.gz", "refused"),
    "first commit": Target("history/{first}.patch.gz", "refused"),
    "settings": Target("settings.yaml", "refused", ("missing", "empty", "flipped")),
    "mark": Target("FORMAT", "refused", but=(("missing", "harmless"), ("cut", "harmless"))),
    "tokens": Target("tokens.json", "told", but=(("missing", "harmless"),)),
    "key": Target("purge.key", "refused", ("empty", "cut")),
    "journal": Target("journal/*.json", "told", but=(("missing", "harmless"),)),
    "verified": Target("history/VERIFIED", "harmless"),
    "lock": Target("lock", "harmless"),
}
KINDS: Final = [(name, damage) for name, each in TARGETS.items() for damage in each.damages]
FEW: Final = [(name, each.damages[-1]) for name, each in TARGETS.items()]  # one of each file


def damaged(root: Path, name: str, damage: str) -> str:
    """Damage one file of a store; return its path from the store's folder."""
    path = _path(root, TARGETS[name].glob)
    _DAMAGES[damage](path)
    return path.relative_to(root).as_posix()


def _path(root: Path, glob: str) -> Path:
    history = History(root / "history")
    *_, first = history.log()
    places = {
        "snapshot": f"snapshots/{(root / 'CURRENT').read_text()}",
        "head": history.head,
        "first": first.id,
    }
    found = [path for path in _files(root, glob.format(**places)) if path.stat().st_size]
    return max(found, key=lambda path: path.stat().st_size)


def _files(root: Path, glob: str) -> Iterator[Path]:
    yield from (path for path in root.glob(glob) if path.is_file())
    yield from (path for each in root.glob(glob) if each.is_dir() for path in each.iterdir())


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


_DAMAGES: Final[dict[str, Callable[[Path], object]]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": _cut,
    "flipped": _flip,
}
