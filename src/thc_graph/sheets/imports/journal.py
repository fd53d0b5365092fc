"""The private import journal: what each import found, the refused ones included.

It stands beside the store and is never published.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thc_graph.sheets.problems import Problem
from thc_graph.store import files


@dataclass(frozen=True)
class Entry:
    """One import; `commit` is None where nothing was published."""

    id: str
    time: str
    files: list[str]
    commit: str | None
    counts: dict[str, int]
    problems: list[dict[str, Any]]


def write(
    root: Path,
    names: list[str],
    commit: str | None,
    counts: dict[str, int],
    problems: list[Problem],
) -> Entry:
    """Keep what an import found."""
    now = datetime.now(UTC)
    entry = Entry(
        id=now.strftime("%Y%m%dT%H%M%S%f"),
        time=now.isoformat(timespec="seconds"),
        files=names,
        commit=commit,
        counts=counts,
        problems=[
            {**each.as_dict("fr"), "message_en": each.message.in_("en")} for each in problems
        ],
    )
    folder = root / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(entry), ensure_ascii=False, indent=1)
    files.replace(folder / f"{entry.id}.json", text.encode())
    return entry


def entries(root: Path, harmed: Callable[[str], object] = str) -> Iterator[Entry]:
    """Yield the imports, the last one first; `harmed` is told the file of one that is not read."""
    for path in sorted((root / "journal").glob("[!.]*.json"), reverse=True):
        try:
            yield Entry(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            harmed(path.relative_to(root).as_posix())
