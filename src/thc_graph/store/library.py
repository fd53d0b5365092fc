"""Stored queries: the files of `queries/`, read once and filled with terms.

A file opens with `#+` lines (summary, used by, slots) and runs as it stands. Its
slots are `VALUES ?x { UNDEF }`, or `VALUES (?x ?y) { (UNDEF UNDEF) }` for rows of values,
called by the first variable; and `$x`, once in the lines between the comments `#* x` and
`#*`, which are written once for each value (the engine prepares a regular expression that
is written out once, one that comes from VALUES for each row). A value enters only as a
serialised term, so no text of a visitor or of a sheet can become syntax.
"""

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import Term
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import Text

Value = NamedNode | Literal
Filling = Value | Iterable[Value | tuple[Value, ...]]  # rows for a slot of several variables
Made = TypeVar("Made")

_SLOT = re.compile(
    r"\bVALUES\s+(\?(?P<one>\w+)|\(\s*\?(?P<first>\w+)(\s+\?\w+)+\s*\))"
    r"\s*\{\s*(UNDEF|\((\s*UNDEF)+\s*\))\s*\}|\$(?P<term>[a-z]\w*)",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"^ *#\* (?P<slot>\w+)\n(?P<lines>.*?)^ *#\*\n", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"[\w-]{1,99}(?:/[\w-]{1,99})*", re.ASCII)  # some come from an address
_HEADER = re.compile(r"^#\+\s*([^:]+?)\s*:\s*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class StoredQuery:
    """One file: `name` is its path without suffix, `slots` says what may be filled in."""

    name: str
    text: str
    summary: Text
    slots: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Library:
    """All stored queries below a folder; a folder and a file are read at their first use."""

    folder: Path
    _read: dict[str, StoredQuery] = field(default_factory=dict, repr=False)
    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def names(self, under: str = "") -> tuple[str, ...]:
        """Return the names of the queries that stand directly in one of the folders."""
        if under not in self._listed:
            found = (self.folder / under).glob("*.rq")
            names = (path.relative_to(self.folder).with_suffix("").as_posix() for path in found)
            self._listed[under] = tuple(sorted(names))
        return self._listed[under]

    def __contains__(self, name: str) -> bool:
        return name in self._read or bool(_NAME.fullmatch(name) and self._path(name).is_file())

    def get(self, name: str) -> StoredQuery:
        """Return a query by name, such as "entity/default".

        Raises:
            KeyError: There is no such file.
        """
        if name not in self._read:
            if name not in self:
                raise KeyError(f"No stored query {name!r} in {self.folder.name}/")
            self._read[name] = read_query(name, self._path(name).read_text("utf-8"))
        return self._read[name]

    def fill(self, name: str, **terms: Filling) -> str:
        """Return the text with some of its slots filled; the others stay open.

        Args:
            name: The query.
            terms: For each slot, a term or several; none at all leaves no solution.

        Raises:
            KeyError: There is no such query, or it has no such slot.
            TypeError: A value is not an IRI or a literal.
        """
        query = self.get(name)
        unknown = terms.keys() - query.slots.keys()
        if unknown:
            raise KeyError(f"{name} has no slot {', '.join(sorted(unknown))}")
        rows = {slot: _rows(given) for slot, given in terms.items()}
        next_of = {slot: iter(values) for slot, values in rows.items()}

        def repeat(found: re.Match[str]) -> str:
            values = rows.get(found["slot"])
            return found[0] if values is None else found["lines"] * len(values)

        def put(slot: re.Match[str]) -> str:
            name = _name(slot)
            if name not in rows:
                return slot[0]
            return next(next_of[name]) if slot["term"] else _values(slot[1], rows[name])

        return _SLOT.sub(put, _REPEATED.sub(repeat, query.text))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.rq"


class Reader(Protocol):
    """One published snapshot, questioned by stored queries only."""

    @property
    def schema(self) -> Schema: ...

    @property
    def library(self) -> Library: ...

    async def bindings(self, name: str, **terms: Filling) -> list[dict[str, Term]]:
        """Return the solutions of a SELECT; an unbound variable is absent."""
        ...

    async def graph(self, name: str, **terms: Filling) -> list[Triple]:
        """Return the triples of a CONSTRUCT."""
        ...

    async def aside(self, work: Callable[[], Made]) -> Made:
        """Return what `work` gives, made in a thread: what would keep all others waiting."""
        ...

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return what `make` gives, made once for this snapshot and kept with it."""
        ...


def read_query(name: str, text: str) -> StoredQuery:
    """Return a query from its text; a slot the header does not explain has an empty sentence."""
    headers: dict[str, str] = dict(_HEADER.findall(text))
    slots = {slot: headers.get(f"slot {slot}", "") for slot in map(_name, _SLOT.finditer(text))}
    both = headers.get("summary", "")
    summary = Text(headers.get("summary fr", both), headers.get("summary en", both))
    return StoredQuery(name, text, summary, slots, headers)


def _name(slot: re.Match[str]) -> str:
    return slot["one"] or slot["first"] or slot["term"]


def _values(variables: str, rows: Iterable[str]) -> str:
    return f"VALUES {variables} {{ {' '.join(rows)} }}"


def _rows(given: Filling) -> list[str]:
    rows = [given] if isinstance(given, NamedNode | Literal) else list(given)
    return [f"({_row(row)})" if isinstance(row, tuple) else _row((row,)) for row in rows]


def _row(terms: tuple[Value, ...]) -> str:
    for term in terms:
        if not isinstance(term, NamedNode | Literal):
            raise TypeError(f"A slot takes IRIs and literals, not {type(term).__name__}")
    return " ".join(str(term) for term in terms)
