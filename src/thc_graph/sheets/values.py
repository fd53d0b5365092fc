"""Values: what a cell says, as an RDF literal or IRI of the type its property asks for."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import RDF, XSD
from thc_graph.schema.model import PropertyShape
from thc_graph.sheets.words import folded

NOTHING: Final = frozenset({"", "neant", "nr", "n r", "non renseigne", "a completer", "inconnu"})
DELETE: Final = "#vide"

_SPACES = re.compile(r"[\s\u00a0\u202f]")
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv january", "fevrier fevr february", "mars march", "avril avr april",
            "mai may", "juin june", "juillet juil july", "aout august", "septembre sept september",
            "octobre oct october", "novembre nov november", "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


class Unreadable(ValueError):
    """The cell does not say a value of this type; `code` names the message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_nothing(text: str) -> bool:
    """Say whether a cell says that there is no value: empty, a dash, « NR »…."""
    return folded(text) in NOTHING


def split(text: str, shape: PropertyShape) -> list[str]:
    """Return the values of a cell: several only where the property takes several."""
    if not shape.is_multiple and not shape.each_value:
        return [text]
    prose = RDF["langString"] in shape.datatypes or (shape.is_iri and not shape.scheme)
    marks = r"[|\n]" if prose else r"[|;,\n]" if shape.comma_separates else r"[|;\n]"
    return [part.strip() for part in re.split(marks, text) if part.strip()]


def literal(text: str, shape: PropertyShape, language: str) -> Literal:
    """Return the literal a cell says, in the first datatype of the shape that it can be.

    Raises:
        Unreadable: It can be none.
    """
    if text.startswith(("=", "#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?")):
        raise Unreadable("formula")
    for datatype in shape.datatypes:
        read = _READERS.get(datatype)
        if read is not None:
            return read(text)
        if datatype == RDF["langString"]:
            return Literal(text, language=language)
    return Literal(text)


def link(text: str, shape: PropertyShape) -> NamedNode:
    """Return the IRI a cell gives, whole or as what stands for {} in the shape's template.

    Raises:
        Unreadable: It is no web address.
    """
    if shape.value_template and ":" not in text:
        text = shape.value_template.format(text.strip())
    elif text.startswith("www."):
        text = f"https://{text}"
    try:
        node = NamedNode(text)
    except ValueError:
        raise Unreadable("bad-link") from None
    if not text.startswith(("http://", "https://", "mailto:", "urn:")):
        raise Unreadable("bad-link")
    return node


def _date(text: str) -> Literal:
    """Read JJ/MM/AAAA (day first), ISO 8601, « 30 mars 2014 », a month or a year."""
    for pattern, order in _DATES:
        found = pattern.fullmatch(folded(text) if order == "words" else text.strip())
        if found:
            return _partial(_ordered(found.groups(), order))
    raise Unreadable("bad-date")


_DATES: Final = (
    (re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:T.*)?"), "ymd"),
    (re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})"), "dmy"),
    (re.compile(r"(\d{1,2})/(\d{4})"), "my"),
    (re.compile(r"(?:(?:le )?(\d{1,2})(?:er)? )?([a-z]+) (\d{4})"), "words"),
)


def _ordered(groups: tuple[str | None, ...], order: str) -> tuple[int, int | None, int | None]:
    if order == "words":
        if groups[1] not in _MONTHS:
            raise Unreadable("bad-date")
        return int(groups[2] or 0), _MONTHS[groups[1] or ""], int(groups[0]) if groups[0] else None
    parts = dict(zip(order, (int(g) if g else None for g in groups), strict=True))
    return parts["y"] or 0, parts.get("m"), parts.get("d")


def _partial(parts: tuple[int, int | None, int | None]) -> Literal:
    year, month, day = parts
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        raise Unreadable("bad-date") from None
    if month is None:
        return Literal(f"{year:04}", datatype=XSD["gYear"])
    if day is None:
        return Literal(f"{year:04}-{month:02}", datatype=XSD["gYearMonth"])
    return Literal(f"{year:04}-{month:02}-{day:02}", datatype=XSD["date"])


def _year(text: str) -> Literal:
    if not re.fullmatch(r"\d{4}", text):
        raise Unreadable("bad-date")
    return Literal(text, datatype=XSD["gYear"])


def _time(text: str) -> Literal:
    found = re.fullmatch(r"([01]?\d|2[0-3])\s*[:hH]\s*([0-5]\d)?", text)
    if not found:
        raise Unreadable("bad-time")
    return Literal(f"{int(found[1]):02}:{int(found[2] or 0):02}:00", datatype=XSD["time"])


def _integer(text: str) -> Literal:
    plain = _SPACES.sub("", text)
    if not re.fullmatch(r"[+-]?\d+(?:\.0)?", plain):
        raise Unreadable("bad-integer")
    return Literal(str(int(plain.removesuffix(".0"))), datatype=XSD["integer"])


def _decimal(text: str) -> Literal:
    plain = _SPACES.sub("", text).replace(",", ".").rstrip("€%")
    if not re.fullmatch(r"[+-]?\d+(?:\.\d+)?", plain):
        raise Unreadable("bad-decimal")
    return Literal(plain, datatype=XSD["decimal"])


def _boolean(text: str) -> Literal:
    word = folded(text)
    if word in {"oui", "vrai", "true", "yes", "1", "x"}:
        return Literal("true", datatype=XSD["boolean"])
    if word in {"non", "faux", "false", "no", "0"}:
        return Literal("false", datatype=XSD["boolean"])
    raise Unreadable("bad-boolean")


_READERS: Final[dict[NamedNode, Callable[[str], Literal]]] = {
    XSD["date"]: _date,
    XSD["gYearMonth"]: _date,
    XSD["gYear"]: _year,
    XSD["time"]: _time,
    XSD["integer"]: _integer,
    XSD["decimal"]: _decimal,
    XSD["boolean"]: _boolean,
}
