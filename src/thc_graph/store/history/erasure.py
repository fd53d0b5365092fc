"""Erasure: what the law wants erased, and where it stands."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from thc_graph.rdf.terms import RDF, XSD
from thc_graph.store.history.commits import History

MASK: Final = "[effacé]"
SHORTEST: Final = 3  # characters of a text by which something could be recognised
TEXTS: Final = frozenset({XSD["string"], RDF["langString"]})
INTENT: Final = "purge.json"


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


def read_private(path: Path) -> Any:
    """Return what a private file tells: a harmed one is one text, covered as a whole."""
    content = path.read_bytes().decode("utf-8", "replace")
    try:
        return json.loads(content)
    except ValueError:
        return content


def private_files(root: Path, pattern: str) -> list[Path]:
    """Return files that are neither history nor snapshot: journals and the like."""
    others = ("history", "snapshots", INTENT)
    found = (path for path in root.rglob(pattern) if path.relative_to(root).parts[0] not in others)
    return [path for path in found if path.is_file()]


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
