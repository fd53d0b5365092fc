"""Amounts: whole and decimal numbers as they are typed in French, with their units."""

import re
from decimal import Decimal
from typing import Final

from pyoxigraph import Literal

from thc_graph.rdf.terms import XSD
from thc_graph.sheets.problems import Remark, Unreadable, note, warning

_SPACES: Final = re.compile(r"[\s\u00a0\u202f]")
_UNITS: Final = {"k": 1_000, "m": 1_000_000}
_AMOUNT: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)([kKmM])?(?:€|euros?|EUR)?")
_THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+")
_INTEGER, _DECIMAL = XSD["integer"], XSD["decimal"]
_SIREN, _SIRET, _HUNDRED = 9, 14, 100

Read = tuple[Literal, tuple[Remark, ...]]


def integer(text: str) -> Read:
    plain = _SPACES.sub("", text)
    if not re.fullmatch(r"[+-]?\d+(?:\.0)?", plain):
        raise Unreadable("bad-integer")
    return Literal(str(int(plain.removesuffix(".0"))), datatype=_INTEGER), ()


def decimal(text: str) -> Read:
    """Read 1 250 000,50 €, 250 k€ or 3 M€: a unit is applied, and that is said."""
    plain = _SPACES.sub("", text).rstrip("%")
    if _THOUSANDS.fullmatch(plain.rstrip("€")):
        plain = plain.replace(".", "")
    found = _AMOUNT.fullmatch(plain.replace(",", "."))
    if not found:
        raise Unreadable("bad-decimal")
    if not found[2]:
        return Literal(found[1], datatype=_DECIMAL), ()
    value = format((Decimal(found[1]) * _UNITS[found[2].lower()]).normalize(), "f")
    return Literal(value, datatype=_DECIMAL), (warning("unit", value=value),)


def percent(text: str) -> Read:
    """Read 50 %, 50 or 0,5, which is how spreadsheets keep 50 %; which one is said."""
    value = Decimal(decimal(text)[0].value)
    if not 0 <= value <= _HUNDRED:
        raise Unreadable("bad-percent")
    if "%" in text or value == 0 or value > 1:
        return Literal(format(value, "f"), datatype=_DECIMAL), ()
    whole = format((value * _HUNDRED).normalize(), "f")
    return Literal(whole, datatype=_DECIMAL), (warning("fraction", value=whole),)


def siren(text: str) -> Read:
    """Read the nine figures of a SIREN, or those that open a SIRET; their last one proves them."""
    plain = _SPACES.sub("", text).replace(".", "")
    remarks: tuple[Remark, ...] = () if plain == text else (note("cleaned", value=plain),)
    if len(plain) == _SIRET and plain.isdigit():
        remarks = (note("siret", value=plain[:_SIREN]),)
        plain = plain[:_SIREN]
    if len(plain) != _SIREN or not plain.isdigit():
        raise Unreadable("bad-siren")
    doubled = (int(c) * (2 if place % 2 else 1) for place, c in enumerate(plain))
    if sum(n - 9 if n > 9 else n for n in doubled) % 10:  # noqa: PLR2004 - Luhn's formula
        raise Unreadable("bad-siren")
    return Literal(plain), remarks
