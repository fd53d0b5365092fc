"""Coordinates: degrees as maps write them, and places that cannot be the right ones."""

import re
from typing import Final

from pyoxigraph import Literal

from thc_graph.rdf.terms import XSD
from thc_graph.sheets.cells import amounts
from thc_graph.sheets.problems import Remark, Unreadable, note

_DMS: Final = re.compile(
    r"""([+-]?\d{1,3})\s*°\s*(?:(\d{1,2})\s*['’′]\s*)?(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:"|″|''|”)\s*)?"""
    r"([NSEWOnsewo])?"
)
_CENTROID: Final = (46.227638, 2.213749)  # what geocoders answer to « France »
_NEAR: Final = 1e-5
_FRANCE: Final = (  # (south, west, north, east), in degrees
    (41.2, -5.5, 51.3, 9.8),  # metropolitan
    (14.2, -63.3, 18.3, -60.7),  # Guadeloupe, Martinique, Saint-Barthélemy, Saint-Martin
    (2.0, -54.7, 5.9, -51.5),  # Guyane
    (-21.5, 55.1, -20.8, 55.9),  # La Réunion
    (-13.1, 44.9, -12.5, 45.4),  # Mayotte
    (46.7, -56.5, 47.2, -56.1),  # Saint-Pierre-et-Miquelon
    (-28.0, -155.0, -7.0, -134.0),  # Polynésie française
    (-23.0, 158.0, -17.0, 172.5),  # Nouvelle-Calédonie
    (-14.5, -178.5, -13.0, -176.0),  # Wallis-et-Futuna
)


def degrees(text: str) -> tuple[Literal, tuple[Remark, ...]]:
    """Read 47,7489 or 47° 44' 56" N, in decimal degrees.

    Raises:
        Unreadable: It is no angle.
    """
    if "°" not in text:
        return amounts.decimal(text)
    found = _DMS.fullmatch(text.strip())
    if not found:
        raise Unreadable("bad-decimal")
    whole, minutes, seconds = int(found[1]), int(found[2] or 0), found[3] or "0"
    size = abs(whole) + minutes / 60 + float(seconds.replace(",", ".")) / 3600
    negative = found[1].startswith("-") or (found[4] or "").upper() in {"S", "W", "O"}
    value = f"{-size if negative else size:.6f}".rstrip("0").rstrip(".")
    return Literal(value, datatype=XSD["decimal"]), (note("degrees", value=value),)


def doubt(latitude: float, longitude: float) -> str | None:
    """Return the message's code for a point that is nowhere, or whose two numbers are swapped."""
    if latitude == longitude == 0:
        return "null-island"
    if all(abs(a - b) < _NEAR for a, b in zip((latitude, longitude), _CENTROID, strict=True)):
        return "centroid"
    if not _in_france(latitude, longitude) and _in_france(longitude, latitude):
        return "swapped"
    return None


def _in_france(latitude: float, longitude: float) -> bool:
    return any(s <= latitude <= n and w <= longitude <= e for s, w, n, e in _FRANCE)
