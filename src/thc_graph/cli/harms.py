"""Harms: the words for a file of the store that is not what was written, and what to do."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from sqlite3 import DatabaseError
from typing import Any, Final

import yaml

from thc_graph.cli import console
from thc_graph.errors import HistoryCorrupt, StoreUnsound
from thc_graph.store.snapshots.seals import Harm

WORDS: Final = Path(__file__).with_name("findings.yaml")
NAMED: Final = 3  # files of those that are made again
_REMEDIES: Final = {  # by how a file's path begins
    "snapshots": "rebuilt",
    "CURRENT": "rebuilt",
    "history/ERASED": "rebuilt",
    "history/": "restored",
    "settings.yaml": "settings",
    "FORMAT": "format",
    "tokens.json": "tokens",
    "purge.json": "purge",
    "purge.key": "key",
    "journal/": "journal",
}
_ENGINE: Final = ("Corruption", "IO error")  # how its errors of reading begin


@cache
def words() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return found


def sentence(fault: StoreUnsound, language: str) -> str:
    """Return file, harm and remedy."""
    said = described(fault.file, fault.harm, language)
    parts = [words()["file-harmed"][language].format(**said)]
    if isinstance(fault, HistoryCorrupt) and fault.sound:
        parts.append(words()["last-sound"][language].format(commit=fault.sound))
    return " ".join(parts)


def described(file: str, harm: str, language: str) -> dict[str, str]:
    """Return a file, its harm and the remedy, in words."""
    remedy = next((name for start, name in _REMEDIES.items() if file.startswith(start)), "restored")
    return {
        "file": file,
        "harm": words()[f"harm-{harm}"][language],
        "remedy": words()[f"remedy-{remedy}"][language],
    }


def tell(found: Sequence[Harm], language: str) -> None:
    """Tell which files are about to be made again."""
    for each in found[:NAMED]:
        said = described(each.file, each.harm, language)
        console.say(words()["file-mended"][language].format(**said))
    if len(found) > NAMED:
        console.say(words()["files-mended"][language].format(number=len(found) - NAMED))


def harm_of(fault: Exception) -> StoreUnsound | None:
    """Return the harm that an engine met while it was reading, None for any other error."""
    if isinstance(fault, DatabaseError):
        return StoreUnsound("snapshots", "unreadable")
    is_engine = getattr(fault, "errno", None) is None and str(fault).startswith(_ENGINE)
    return StoreUnsound("snapshots", "unreadable") if is_engine else None
