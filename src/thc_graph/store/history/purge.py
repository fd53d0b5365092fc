"""Purging: what the law wants erased leaves every commit, snapshot and private file.

The intent is written down first (`purge.json`); from then on whoever writes next
finishes the work, in the order of `resume` (history), a rebuilt snapshot, `close`
(all other snapshots, private files, the intent itself). Each step can be repeated.

What stays is a tombstone: when, why, and a digest under a key of this store alone,
by which an address that was erased is answered 410 and nobody can guess a name.
"""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pyoxigraph import NamedNode

from thc_graph.errors import NothingToPurge, StoreUnsound
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import SH
from thc_graph.schema.reports import Violation
from thc_graph.schema.shapes import Text
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store import files
from thc_graph.store.history.commits import History, Purge
from thc_graph.store.history.erasure import INTENT, Blot, Erasure, find, private_files, read_private

_RETURNS: Final = Text(
    fr="Cette fiche a été effacée (thc-graph purge) : s’assurer qu’on a le droit de la republier.",
    en="This record was erased (thc-graph purge): make sure it may be published again.",
)
_KEY: Final = "purge.key"
_KEY_SIZE: Final = 32


@dataclass(frozen=True)
class Tombstone:
    """All that is left of an entity; `time` is ISO 8601 in UTC."""

    time: str
    reason: str


def begin(root: Path, history: History, erasure: Erasure, author: str) -> None:
    """Write the intent down; whoever holds the store's lock next finishes it.

    Raises:
        NothingToPurge: No commit holds anything of it.
    """
    found = find(history, erasure)
    if not found.lines:
        raise NothingToPurge(", ".join(erasure.entities))
    intent = {
        "erasure": asdict(erasure),
        "texts": sorted(found.texts),
        "author": author,
        "head": history.head,
    }
    _key(root)
    files.replace(root / INTENT, json.dumps(intent).encode())


def resume(root: Path, history: History) -> bool:
    """Bring the history to the end of a purge that was begun; tell whether there was one.

    Raises:
        StoreUnsound: What was to be erased cannot be read any more.
    """
    if not (root / INTENT).exists():
        return False
    history.sweep()
    intent = _intent(root)
    erasure = Erasure(**{name: _tuple(value) for name, value in intent["erasure"].items()})
    if history.head == intent["head"]:  # else its commit stands already
        history.redact(dict(_redactions(history, erasure, Blot(intent["texts"]))))
        whole = () if erasure.predicates else erasure.entities
        subjects = tuple(_digest(root, iri) for iri in whole)
        purge = Purge(erasure.reason, subjects, _unsealed(history))
        nothing = accept_unchecked(ChangeSet())
        history.record(nothing, intent["author"], "Effacement", purge=purge)
    remember(history)
    return True


def remember(history: History) -> None:
    """Write `ERASED` anew from the commits: they alone say what was erased, when and why."""
    erased = history.erased()
    erased.subjects.clear()
    for commit in history.log():
        for subject in commit.purge.subjects if commit.purge else ():
            assert commit.purge
            erased.subjects[subject] = {"time": commit.time, "reason": commit.purge.reason}
    history.remember(erased)


def _redactions(history: History, erasure: Erasure, blot: "Blot") -> Iterator[tuple[str, str]]:
    for commit in history.log():
        text = history.text(commit.id)
        head, *lines = text.split("\n")
        facts = json.loads(head)
        facts |= blot.over({name: facts[name] for name in ("author", "message", "sources")})
        written = json.dumps(facts, ensure_ascii=False, sort_keys=True)
        after = "\n".join([written, *(line for line in lines if not erasure.takes(line))])
        if after != text:
            yield commit.id, after


def _unsealed(history: History) -> dict[str, str]:
    """Return the redactions that no purge's commit tells yet."""
    sealed: dict[str, str] = {}
    for commit in [*history.log()][::-1]:
        sealed |= commit.purge.redacted if commit.purge else {}
    return {id_: sha for id_, sha in history.erased().redacted.items() if sealed.get(id_) != sha}


def close(root: Path, keep: Path) -> None:
    """Remove all snapshots but one, blot out private files, and forget the intent."""
    for path in (root / "snapshots").iterdir():
        if path != keep and not path.name.startswith(".draft-"):  # a draft ends with its process
            shutil.rmtree(path)
    blot = Blot(_intent(root)["texts"])
    for path in private_files(root, ".*"):
        if not files.is_at_work(path):
            path.unlink()
    for path in private_files(root, "[!.]*.json"):
        before = read_private(path)
        after = blot.over(before)
        if after != before:
            files.replace(path, json.dumps(after, ensure_ascii=False, indent=1).encode())
    (root / INTENT).unlink()
    files.sync(root)


def begun(root: Path) -> bool:
    """Tell whether a purge was begun and is not at its end.

    Raises:
        StoreUnsound: What was to be erased cannot be read any more.
    """
    return (root / INTENT).exists() and bool(_intent(root))


def check_key(root: Path) -> None:
    """Hold the key of the tombstones to its form; which one it was, nothing else tells.

    Raises:
        StoreUnsound: It is no key of ours.
    """
    path = root / _KEY
    if path.exists() and len(path.read_bytes()) != _KEY_SIZE:
        raise StoreUnsound(_KEY, "cut" if path.stat().st_size else "empty")


def _intent(root: Path) -> dict[str, Any]:
    try:
        intent: dict[str, Any] = json.loads((root / INTENT).read_text("utf-8"))
        Erasure(**intent["erasure"])
        return {name: intent[name] for name in ("erasure", "texts", "author", "head")}
    except (ValueError, TypeError, KeyError) as fault:
        raise StoreUnsound(INTENT, "unreadable") from fault


def holding(root: Path, texts: Iterable[str]) -> list[Path]:
    """Return the files of a store that hold one of some texts, gzip read through.

    What a snapshot's engine has compressed is not read through; a purge rebuilds it.
    """
    wanted = [text.encode() for text in texts]
    files_ = (path for path in sorted(root.rglob("*")) if path.is_file())
    return [path for path in files_ if any(text in _content(path) for text in wanted)]


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def tombstone(root: Path, iri: str) -> Tombstone | None:
    """Return what is left of an entity that was erased whole; without a sound key, nothing."""
    try:
        check_key(root)
    except StoreUnsound:
        return None
    if not (root / _KEY).exists():
        return None
    told = History(root / "history").erased().subjects.get(_digest(root, iri))
    return Tombstone(**told) if told else None


def returning(root: Path, change: ChangeSet) -> list[Violation]:
    """Warn of entities that a change brings back although they were erased."""
    erased = History(root / "history").erased().subjects
    if not erased or not (root / _KEY).exists():
        return []
    subjects = {quad.subject for quad in change.added if isinstance(quad.subject, NamedNode)}
    back = sorted((each for each in subjects if _digest(root, each.value) in erased), key=str)
    return [Violation(each, None, None, SH["Warning"], _RETURNS, None) for each in back]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _digest(root: Path, iri: str) -> str:
    return hashlib.blake2b(iri.encode(), key=_key(root), digest_size=16).hexdigest()


def _key(root: Path) -> bytes:
    """Return the key of this store's tombstones, made at the first purge."""
    path = root / _KEY
    check_key(root)
    if not path.exists():
        files.replace(path, os.urandom(_KEY_SIZE))
        path.chmod(0o600)
    return path.read_bytes()
