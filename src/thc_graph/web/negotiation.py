"""Negotiation: which representation and which language a reader prefers."""

import re
from functools import lru_cache

KNOWN = 128  # headers whose reading is kept: most clients send one of a few
_RANGE = re.compile(r"\s*([^\s;,]+)\s*((?:;[^,]*)?)")
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)


def choose(accept: str, offered: tuple[str, ...]) -> str | None:
    """Return the offered media type the reader prefers, or None if none will do.

    Args:
        accept: The Accept header, as received; empty means anything will do.
        offered: Media types in our order of preference; the first wins ties.

    The most specific range that matches a type sets its quality, and a quality
    of 0 refuses it: RFC 9110, section 12.5.1.

    >>> choose("text/*;q=0.5, text/turtle", ("text/html", "text/turtle"))
    'text/turtle'
    """
    return next(iter(acceptable(accept, offered)), None)


@lru_cache(maxsize=KNOWN)
def acceptable(accept: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    """Return all offered media types that will do, the reader's favourite first."""
    ranges = _ranges(accept) if accept.strip() else {"*/*": 1.0}
    found = [(_quality(each, ranges), each) for each in offered]
    liked = [pair for pair in found if pair[0] > 0]
    return tuple(each for _, each in sorted(liked, key=lambda pair: -pair[0]))


@lru_cache(maxsize=KNOWN)
def coding(accept_encoding: str) -> str:
    """Return "gzip" where the reader takes it at least as gladly as the plain bytes, else "".

    RFC 9110, section 12.5.3: what is not named is refused, except the plain bytes.

    >>> coding("gzip, deflate, br")
    'gzip'
    """
    ranges = _ranges(accept_encoding)
    rest = ranges.get("*", 0.0)
    liked = max(ranges.get("gzip", rest), ranges.get("x-gzip", 0.0))
    return "gzip" if liked > 0 and liked >= ranges.get("identity", rest) else ""


def language(accept_language: str, asked: str | None = None) -> str:
    """Return "fr" or "en": what the address asks for, else what the browser prefers.

    >>> language("en-GB, fr;q=0.5")
    'en'
    """
    if asked in ("fr", "en"):
        return asked
    ranges = _ranges(accept_language) if accept_language.strip() else {}
    best = {name: _language_quality(name, ranges) for name in ("fr", "en")}
    return "en" if best["en"] > best["fr"] else "fr"


def _ranges(header: str) -> dict[str, float]:
    """Return each range of a header with its quality; media type parameters are ignored."""
    found: dict[str, float] = {}
    for name, parameters in _RANGE.findall(header):
        quality = _QUALITY.search(parameters)
        found[name.lower()] = float(quality[1]) if quality else 1.0
    return found


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    kind = media_type.partition("/")[0]
    candidates = (media_type, f"{kind}/*", "*/*")
    return next((ranges[each] for each in candidates if each in ranges), 0.0)


def _language_quality(name: str, ranges: dict[str, float]) -> float:
    own = [q for each, q in ranges.items() if each.partition("-")[0] == name]
    return max(own) if own else ranges.get("*", 0.0)
