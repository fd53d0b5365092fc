"""Negotiation: which representation and which language a reader prefers.

A header is read from left to right, once: a stranger's text is never matched by an
expression that goes back.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from thc_graph import quantities

HTML: Final = "text/html"
KNOWN: Final = 128  # headers whose reading is kept: most clients send one of a few
LONGEST: Final = 4096  # characters of a header: browsers and SPARQL clients send some hundred


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
def codings(accept_encoding: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codings the reader takes at least as gladly as the plain bytes, favourite first.

    RFC 9110, section 12.5.3: what is not named is refused, except the plain bytes.

    >>> codings("gzip, deflate, br", ("br", "gzip"))
    ('br', 'gzip')
    """
    ranges = _ranges(accept_encoding)
    rest = ranges.get("*", 0.0)
    found = [(max(ranges.get(e, rest), ranges.get(f"x-{e}", 0.0)), e) for e in offered]
    liked = [pair for pair in found if pair[0] > 0 and pair[0] >= ranges.get("identity", rest)]
    return tuple(each for _, each in sorted(liked, key=lambda pair: -pair[0]))


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
    """Return each range of a header with its quality; its other parameters are ignored."""
    found: dict[str, float] = {}
    for element in split(header[:LONGEST], ","):
        name, *parameters = (each.strip() for each in split(element, ";"))
        if name and not any(c.isspace() for c in name):
            found[name.lower()] = _weight(parameters)
    return found


def split(text: str, mark: str) -> list[str]:
    """Return the parts of a header between marks; a quoted string is whole: RFC 9110, 5.6.4."""
    return list(_quoted(text, mark)) if '"' in text else text.split(mark)


def _quoted(text: str, mark: str) -> Iterator[str]:
    start, quoted, escaped = 0, False, False
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == mark and not quoted:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _weight(parameters: list[str]) -> float:
    """Return the quality a range is given: RFC 9110, section 12.4.2; `q=.9` is 0.9, too.

    What is no number says nothing, and a number past 1 no more than 1.
    """
    for each in parameters:
        name, _, text = each.partition("=")
        if name.strip().lower() == "q":
            value = quantities.real(text.strip())
            return 1.0 if value is None else min(max(value, 0.0), 1.0)
    return 1.0


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    kind = media_type.partition("/")[0]
    candidates = (media_type, f"{kind}/*", "*/*")
    return next((ranges[each] for each in candidates if each in ranges), 0.0)


def _language_quality(name: str, ranges: dict[str, float]) -> float:
    own = [q for each, q in ranges.items() if each.partition("-")[0] == name]
    return max(own) if own else ranges.get("*", 0.0)
