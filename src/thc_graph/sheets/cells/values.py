"""Values: what a cell says, as an RDF literal or IRI of the type its property asks for."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from pyoxigraph import Literal, NamedNode

from thc_graph.names.words import folded
from thc_graph.rdf.canonical import normal
from thc_graph.rdf.terms import DASH, RDF, XSD
from thc_graph.schema.shapes import PropertyShape
from thc_graph.sheets.cells import amounts, cleaning, coordinates, dates
from thc_graph.sheets.cells.dates import Period
from thc_graph.sheets.problems import Remark, Unreadable, note, warning
from thc_graph.sheets.tables import escaping

__all__ = [
    "DELETE",
    "Period",
    "Reading",
    "Unreadable",
    "is_nothing",
    "link",
    "literal",
    "marks",
    "read",
    "split",
]

DELETE: Final = "#vide"
NOTHING: Final = frozenset({
    "", "neant", "nr", "n r", "non renseigne", "a completer", "inconnu", "nc", "n a", "na",
})  # fmt: skip
_NO_ANSWER: Final = frozenset({"non", "x", "sans objet", "aucun", "aucune", "none", "null", "so"})
_TEXT, _STRING, _BOOLEAN = RDF["langString"], XSD["string"], XSD["boolean"]
_LABEL, _ID = DASH["LabelRole"], DASH["IDRole"]
_TRUE: Final = Literal("true", datatype=_BOOLEAN)
_FALSE: Final = Literal("false", datatype=_BOOLEAN)


class Reading(NamedTuple):
    """What a value was read as: nothing where it says that there is none."""

    term: Literal | NamedNode | Period | None
    remarks: tuple[Remark, ...] = ()


def is_nothing(text: str, shape: PropertyShape | None = None) -> bool:
    """Say whether a cell says that there is no value: empty, a dash, « NR »….

    Where a property is given, « non » and « x » are no value either, but of a yes or no.
    """
    if text[:1].isdigit() or len(text) > 40:  # noqa: PLR2004 - no such word is longer
        return False
    word = folded(text)
    if word in NOTHING:
        return True
    if shape is None or word not in _NO_ANSWER:
        return False
    return _BOOLEAN not in shape.datatypes and shape.role not in (_LABEL, _ID)


def split(text: str, shape: PropertyShape) -> list[str]:
    """Return the values of a cell: several only where the property takes several."""
    if not shape.is_multiple and not shape.each_value:
        return [text]
    if not _SEPARATORS.search(text):
        return [text]
    return escaping.cut(text, marks(shape))


_SEPARATORS: Final = re.compile(r"[|;,\n]")


def marks(shape: PropertyShape) -> str:
    """Return the characters that separate the values of a cell of this property."""
    is_prose = _TEXT in shape.datatypes or (shape.is_iri and not shape.scheme)
    return "|;,\n" if shape.comma_separates else "|\n" if is_prose else "|;\n"


def literal(text: str, shape: PropertyShape, language: str) -> Literal:
    """Return the literal a cell says, in the first datatype of the shape that it can be.

    Raises:
        Unreadable: It can be none.
    """
    term = read(text, shape, language).term
    if not isinstance(term, Literal):
        raise Unreadable("bad-date")
    return term


def read(text: str, shape: PropertyShape, language: str) -> Reading:
    """Return what a cell says as the engine keeps it, with what is to be said of the reading.

    Raises:
        Unreadable: It says no value of the types the shape allows.
    """
    cleaning.refuse_unreadable(text)
    found = _read(escaping.plain(text), shape, language)
    if isinstance(found.term, Literal):
        return Reading(normal(found.term), found.remarks)
    return found


def _read(text: str, shape: PropertyShape, language: str) -> Reading:
    if shape.role == _LABEL:
        plain, remarks = cleaning.label(text)
        return Reading(_worded(plain, shape, language), remarks)
    if shape.format in _FORMATS:
        return Reading(*_FORMATS[shape.format](text))
    for datatype in shape.datatypes:
        if datatype in _READERS:
            return _READERS[datatype](text)
        if datatype == _TEXT:
            plain, remarks = cleaning.prose(text)
            return Reading(Literal(plain, language=language) if plain else None, remarks)
    return Reading(Literal(text))


def _worded(text: str, shape: PropertyShape, language: str) -> Literal:
    return Literal(text, language=language) if _TEXT in shape.datatypes else Literal(text)


def link(text: str, shape: PropertyShape) -> NamedNode:
    """Return the IRI a cell gives, whole or as what stands for {} in the shape's template.

    Raises:
        Unreadable: It is no web address.
    """
    term = read_link(text, shape).term
    assert isinstance(term, NamedNode)
    return term


def read_link(text: str, shape: PropertyShape) -> Reading:
    """Read a web or mail address; the scheme it lacks is added, and that is said."""
    cleaning.refuse_unreadable(text)
    remarks: tuple[Remark, ...] = ()
    whole = text.strip()
    if "mailto:" in (shape.value_template or "") or whole.lower().startswith("mailto:"):
        whole = re.sub(r"\s", "", whole).rstrip(".,;")
        if whole != text:
            remarks = (note("cleaned", value=whole),)
    if shape.value_template and ":" not in whole:
        whole = shape.value_template.format(whole)
    elif whole.lower().startswith("www."):
        whole = f"https://{whole}"
        remarks = (warning("scheme-added", value=whole),)
    try:
        node = NamedNode(whole)
    except ValueError:
        raise Unreadable("bad-link") from None
    if not whole.startswith(("http://", "https://", "mailto:", "urn:")):
        raise Unreadable("bad-link")
    return Reading(node, remarks)


def _date(text: str) -> Reading:
    if dates.is_none(text):
        return Reading(None, (note("no-date"),))
    found = dates.read(text)
    if isinstance(found, Period):
        return Reading(found, (warning("period", first=found.first.value, last=found.last.value),))
    return Reading(found)


def _year(text: str) -> Reading:
    if dates.is_none(text):
        return Reading(None, (note("no-date"),))
    if not re.fullmatch(r"\d{4}", text):
        raise Unreadable("bad-date")
    return Reading(Literal(text, datatype=XSD["gYear"]))


def _time(text: str) -> Reading:
    found = re.fullmatch(r"([01]?\d|2[0-3])\s*[:hH]\s*([0-5]\d)?(?::[0-5]\d)?", text)
    if not found:
        raise Unreadable("bad-time")
    return Reading(Literal(f"{int(found[1]):02}:{int(found[2] or 0):02}:00", datatype=XSD["time"]))


def _boolean(text: str) -> Reading:
    word = folded(text)
    if word in {"oui", "vrai", "true", "yes", "1", "x"}:
        return Reading(_TRUE)
    if word in {"non", "faux", "false", "no", "0"}:
        return Reading(_FALSE)
    raise Unreadable("bad-boolean")


def _insee(text: str) -> tuple[Literal, tuple[Remark, ...]]:
    plain, remarks = cleaning.code(text)
    return Literal(plain), remarks


_READERS: Final[dict[NamedNode, Callable[[str], Reading]]] = {
    XSD["date"]: _date,
    XSD["gYearMonth"]: _date,
    XSD["gYear"]: _year,
    XSD["time"]: _time,
    XSD["integer"]: lambda text: Reading(*amounts.integer(text)),
    XSD["decimal"]: lambda text: Reading(*amounts.decimal(text)),
    XSD["boolean"]: _boolean,
}
_FORMATS: Final[dict[str | None, Callable[[str], tuple[Literal, tuple[Remark, ...]]]]] = {
    "insee": _insee,
    "siren": amounts.siren,
    "percent": amounts.percent,
    "latitude": coordinates.degrees,
    "longitude": coordinates.degrees,
}
