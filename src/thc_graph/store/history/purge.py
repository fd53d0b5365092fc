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
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from thc_graph.errors import NothingToPurge, StoreUnsound
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDF, SH, XSD
from thc_graph.schema.model import Text
from thc_graph.schema.reports import Violation
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store import files
from thc_graph.store.history.commits import History, Purge

MASK: Final = "[effacé]"
SHORTEST: Final = 3  # characters of a text by which something could be recognised
TEXTS: Final = frozenset({XSD["string"], RDF["langString"]})

INTENT: Final = "purge.json"
_RETURNS: Final = Text(
    fr="Cette fiche a été effacée (thc-graph purge) : s’assurer qu’on a le droit de la republier.",
    en="This record was erased (thc-graph purge): make sure it may be published again.",
)
_KEY: Final = "purge.key"
_KEY_SIZE: Final = 32


@dataclass(frozen=True)
class Erasure:
    """Entities to erase, as subject and as object; or only their facts of some predicates."""

    entities: tuple[str, ...]
    predicates: tuple[str, ...] = ()
    reason: str = "request"

    def takes(self, line: str) -> bool:
        """Tell whether a line of an RDF Patch is to go."""
        if not any(f"<{iri}>" in line for iri in self.entities):
            return False
        return any(map(self._takes, parse(line[2:], format=RdfFormat.N_QUADS)))

    def _takes(self, quad: Quad) -> bool:
        if self.predicates:
            return _value(quad.subject) in self.entities and quad.predicate.value in self.predicates
        return bool({*_named_in(quad.triple), _value(quad.graph_name)} & {*self.entities})


@dataclass
class Findings:
    """What an erasure would take, and what would still tell of it.

    `texts` are values that stand nowhere else: they mark what to blot out of messages,
    file names and the journal. `vanishing` are those of them that no other value even
    has as a part: no byte of the store should hold one any more. `citing` are other
    entities that lose a fact; `echoes` are those that keep one of the texts, or the
    entity's key in their own name.
    """

    lines: int = 0
    commits: int = 0
    texts: set[str] = field(default_factory=set)
    vanishing: set[str] = field(default_factory=set)
    citing: set[str] = field(default_factory=set)
    echoes: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Tombstone:
    """All that is left of an entity; `time` is ISO 8601 in UTC."""

    time: str
    reason: str


def find(history: History, erasure: Erasure) -> Findings:
    """Look through the whole history for what an erasure takes."""
    found, objects = Findings(), set[NamedNode | Literal]()
    for commit in history.log():
        gone = [line for line in _lines(history, commit.id) if erasure.takes(line)]
        found.lines += len(gone)
        found.commits += bool(gone)
        for quad in parse("\n".join(line[2:] for line in gone), format=RdfFormat.N_QUADS):
            found.citing.add(_value(quad.subject))
            if isinstance(quad.object, NamedNode) or _is_text(quad.object):
                objects.add(quad.object)
    found.citing -= {*erasure.entities, ""}
    _look_elsewhere(history, erasure, found, objects)
    return found


def _look_elsewhere(
    history: History, erasure: Erasure, found: Findings, objects: set[NamedNode | Literal]
) -> None:
    """Keep the objects that stand in no other line, then look for their echoes."""
    kept = [
        line for c in history.log() for line in _lines(history, c.id) if not erasure.takes(line)
    ]
    whole = "\n".join(kept)
    found.texts = {o.value for o in objects if _written(o) not in whole}
    found.texts |= set() if erasure.predicates else {*erasure.entities}
    found.vanishing = {text for text in found.texts if text not in whole}
    keys = set() if erasure.predicates else {each.rpartition("/")[2] for each in erasure.entities}
    echo = Blot(found.texts | {key for key in keys if len(key) > SHORTEST})
    told = [line[2:] for line in kept if echo.marks(line)]
    for quad in parse("\n".join(told), format=RdfFormat.N_QUADS):
        found.echoes.add(_value(quad.subject))


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
    for path in _private(root, ".*"):
        if not files.is_at_work(path):
            path.unlink()
    for path in _private(root, "[!.]*.json"):
        before = _told(path)
        after = blot.over(before)
        if after != before:
            files.replace(path, json.dumps(after, ensure_ascii=False, indent=1).encode())
    (root / INTENT).unlink()
    files.sync_folder(root)


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


def _told(path: Path) -> Any:
    """Return what a private file tells: a harmed one is one text, covered as a whole."""
    content = path.read_bytes().decode("utf-8", "replace")
    try:
        return json.loads(content)
    except ValueError:
        return content


def _private(root: Path, pattern: str) -> list[Path]:
    """Return files that are neither history nor snapshot: journals and the like."""
    others = ("history", "snapshots", INTENT)
    found = (path for path in root.rglob(pattern) if path.relative_to(root).parts[0] not in others)
    return [path for path in found if path.is_file()]


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


class Blot:
    """Finds texts as whole words, whatever their case, and covers what holds them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted(texts)

    def marks(self, text: str) -> bool:
        return bool(self.texts) and self._pattern.search(text) is not None

    def over(self, value: Any) -> Any:
        """Return a value of JSON in which each string that holds one of the texts is covered."""
        match value:
            case str():
                return MASK if self.marks(value) else value
            case list():
                return [self.over(each) for each in value]
            case dict():
                return {name: self.over(each) for name, each in value.items()}
        return value

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        either = "|".join(map(re.escape, self.texts))
        return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


def _lines(history: History, id_: str) -> list[str]:
    return [each for each in history.text(id_).split("\n")[1:] if each[:2] in ("A ", "D ")]


def _named_in(term: object) -> Iterator[str]:
    """Yield the IRIs of a triple, triple terms within it included."""
    if isinstance(term, Triple):
        for each in (term.subject, term.predicate, term.object):
            yield from _named_in(each)
    elif isinstance(term, NamedNode):
        yield term.value


def _value(term: object) -> str:
    return term.value if isinstance(term, NamedNode) else ""


def _is_text(term: object) -> bool:
    return isinstance(term, Literal) and term.datatype in TEXTS and len(term.value) >= SHORTEST


def _written(term: NamedNode | Literal) -> str:
    """Return a term as any line that holds it begins to write it, whatever its language."""
    return str(term if isinstance(term, NamedNode) else Literal(term.value))


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
