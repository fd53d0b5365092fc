"""The guard: what is read and refused of a visitor's query before any process sees it.

It reads tokens, not grammar. The engine's parser puts no boundary around its
keywords: it takes `1SERVICE`, `trueSERVICE` and `SERVICEex:a {` for a SERVICE
clause, and reads `<` as an IRI or as "less than" by context alone. So where one
text can be read in two ways, both readings are checked.
The guard is the first wall; a child without network, memory or time is the second.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from thc_graph.errors import QueryForbidden, QueryTooComplex, QueryTooLarge
from thc_graph.store.engine.lexer import (
    Token,
    every_reading,
    iri_of,
    outside_brackets,
    prologue_of,
    reading_of,
    resolved_iri,
)

MAX_BYTES: Final = 16 * 1024
MAX_DEPTH: Final = 100
MAX_CHAIN: Final = 500

_OPENS_GROUP: Final = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*+)*+\{")
_UPDATE: Final = re.compile(
    r"(INSERT|DELETE|LOAD|CLEAR|DROP|CREATE|ADD|MOVE|COPY)(?:DATA|WHERE|SILENT|GRAPH|DEFAULT|NAMED|ALL)*"
)
_FORM: Final = re.compile("SELECT|ASK|CONSTRUCT|DESCRIBE")
_GRAPH_FOLLOWS: Final = frozenset({"GRAPH", "FROM", "NAMED"})
_CHAINED: Final = frozenset({"/", "|", "^", "!", "||", "&&", "+", "-", "*"})
_ABSOLUTE: Final = ("http:", "https:", "urn:", "tag:")
_NATIVE: Final = ("bif:", "sql:")


_LOCAL_ESCAPE: Final = re.compile(r"\\(.)")
_INCONSTANT: Final = re.compile("NOW|RAND|UUID|STRUUID")


BYTE_ORDER_MARK: Final = "\ufeff"  # what some editors put before a text; it says nothing
# What people paste for a space, and no name of SPARQL may hold (rule PN_CHARS_BASE).
_SPACES: Final = dict.fromkeys(
    (0x0B, 0x0C, 0x85, 0xA0, *range(0x2000, 0x200C), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000), " "
)


class Dataset(NamedTuple):
    """The graphs that FROM and FROM NAMED name, in their order: SPARQL 1.1, section 13.2."""

    default: tuple[str, ...]
    named: tuple[str, ...]


class Examined(NamedTuple):
    """What the text of a query tells before it runs.

    `form` is as `form` returns it. `normal` names the answer in a cache: two texts
    with one normal form mean the same; a text that can be read in two ways is its own.
    `is_constant`: it gives the same answer each time, having no NOW, RAND or UUID.
    """

    form: str | None
    dataset: Dataset | None
    normal: str
    is_constant: bool


def plain(text: str) -> str:
    """Return a query as its writer sees it: without a byte order mark, its spaces plain ones.

    In strings and IRIs a no-break space stays what it is.
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    if len(text) > MAX_BYTES or text.translate(_SPACES) == text:
        return text
    parts, end = list[str](), 0
    for token in reading_of(text):
        if token.kind not in ("string", "iri"):
            parts += [text[end : token.start], token.text.translate(_SPACES)]
            end = token.end
    return "".join([*parts, text[end:]])


def check(text: str) -> None:
    """Refuse a query that must not reach a child: see `examine`."""
    examine(text)


def examine(text: str) -> Examined:
    """Return what a query's text tells, or refuse one that must not reach a child.

    Raises:
        QueryTooLarge: More than 16 KiB in UTF-8.
        QueryForbidden: SERVICE, LOAD or another update; `what` is the keyword.
        QueryTooComplex: More than 100 brackets open at once, or more than 500
            of one chained operator.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise QueryTooLarge(MAX_BYTES)
    readings = every_reading(text)
    for tokens in readings:
        _check_keywords(text, tokens)
    _check_depth(readings[0])
    _check_chains(readings[0])
    return Examined(
        _form(readings[0]), _dataset(readings[0]), _normal(text, readings), _is_constant(readings)
    )


def check_portable(text: str) -> None:
    """Refuse a name that an engine elsewhere would run as a procedure of its own.

    Virtuoso takes the IRI of a function for the name of a procedure, whoever asks:
    `<bif:http_get>("http://…")` makes the server fetch that address. So a function's
    IRI, and what a PREFIX or BASE makes of one, is absolute and of a plain scheme.

    Raises:
        QueryForbidden: `what` is the IRI.
    """
    for tokens in every_reading(text):
        around = zip([None, *tokens], tokens, [*tokens[1:], None], strict=False)
        for before, token, after in around:
            if token.kind == "iri" and not _is_portable(before, token, after):
                raise QueryForbidden(token.text)


def _is_portable(before: Token | None, token: Token, after: Token | None) -> bool:
    iri = iri_of(token).lower()
    declares = before is not None and (
        before.text.upper() == "BASE" or (before.kind == "name" and not before.local)
    )
    called = after is not None and after.text == "("
    return not iri.startswith(_NATIVE) and (iri.startswith(_ABSOLUTE) or not (declares or called))


def dataset(text: str) -> Dataset | None:
    """Return the dataset that a query's FROM and FROM NAMED make, None where it names none."""
    return _dataset(reading_of(text))


def without_dataset(text: str) -> str:
    """Return a query without its FROM and FROM NAMED."""
    tokens, kept, end = reading_of(text), list[str](), 0
    for place, token in outside_brackets(tokens):
        if token.kind != "word" or token.text.upper() != "FROM":
            continue
        clause = tokens[place : place + 3]
        is_named = [each.text.upper() for each in clause[1:2]] == ["NAMED"]
        kept.append(text[end : token.start])
        end = clause[: 2 + is_named][-1].end
    return " ".join([*kept, text[end:]])


def prefixes(text: str) -> set[str]:
    """Return the prefixes that a query uses and does not declare."""
    found = [token for token in reading_of(text) if token.kind == "name"]
    declared, _ = prologue_of(reading_of(text))
    return {token.prefix for token in found} - declared.keys()


def form(text: str) -> str | None:
    """Return SELECT, ASK, CONSTRUCT, DESCRIBE or UPDATE; None where the text is none of them."""
    return _form(reading_of(text))


def _form(tokens: list[Token]) -> str | None:
    for token in tokens:
        if token.kind == "word" and token.text.upper() not in {"PREFIX", "BASE", "VERSION"}:
            return _form_of(token.text.upper())
    return None


def _dataset(tokens: list[Token]) -> Dataset | None:
    """Return the dataset a query names itself, None where it names none or it cannot be read.

    A dataset clause stands outside all brackets. What is not read here (an IRI
    without BASE, a prefix never declared) is left to the engine, which has no
    graphs but the published ones.
    """
    default, named = list[str](), list[str]()
    prefixes, base = prologue_of(tokens)
    for place, token in outside_brackets(tokens):
        if token.kind != "word" or token.text.upper() != "FROM":
            continue
        is_named = [each.text.upper() for each in tokens[place + 1 : place + 2]] == ["NAMED"]
        graph = _graph(tokens[place + 1 + is_named : place + 2 + is_named], prefixes, base)
        if graph is None:
            return None
        (named if is_named else default).append(graph)
    return Dataset(tuple(default), tuple(named)) if default or named else None


def _normal(text: str, readings: list[list[Token]]) -> str:
    """Return the text without comments and needless space, where that surely says the same.

    A line stays a line, since the `#` of what looks like an IRI may open a comment.
    """
    tokens, *others = readings
    if any(others) or any(_is_doubtful(token) for token in tokens):
        return text
    parts, end = list[str](), 0
    for token in tokens:
        gap = text[end : token.start]
        parts += ["\n" if "\n" in gap or "\r" in gap else " ", token.text]
        end = token.end
    return "".join(parts).strip()


def _is_doubtful(token: Token) -> bool:
    return (token.kind == "iri" and "'" in token.text) or token.text == "\\"


def _is_constant(readings: list[list[Token]]) -> bool:
    words = (token.text.upper() for tokens in readings for token in tokens if token.kind == "word")
    return not any(_INCONSTANT.search(word) for word in words)


def _graph(tokens: list[Token], prefixes: Mapping[str, str], base: str) -> str | None:
    first = tokens[0] if tokens else None
    if first is not None and first.kind == "iri":
        return resolved_iri(base, iri_of(first))
    if first is not None and first.kind == "name" and first.prefix in prefixes:
        return prefixes[first.prefix] + _LOCAL_ESCAPE.sub(r"\1", first.local)
    return None


def _form_of(word: str) -> str | None:
    if query := _FORM.match(word):
        return query[0]
    return "UPDATE" if word == "WITH" or _UPDATE.fullmatch(word) else None


def _check_keywords(text: str, tokens: list[Token], forbidden: re.Pattern[str] = _UPDATE) -> None:
    open_authority = any(_is_open_authority(token) for token in tokens)
    before = ""
    for token in tokens:
        if token.kind == "word":
            _check_word(token.text.upper(), forbidden)
        elif token.kind == "iri" and _hides_clause(token.text):
            raise QueryForbidden("SERVICE")
        elif token.kind == "name":
            hides = open_authority and "SERVICE" in token.local.upper()
            if hides or (before not in _GRAPH_FOLLOWS and _is_clause(text, token)):
                raise QueryForbidden("SERVICE")
        before = token.text.upper()


def _check_word(word: str, forbidden: re.Pattern[str]) -> None:
    """Refuse a bare word that is, or is glued to, a forbidden keyword.

    No keyword or function of SPARQL has SERVICE in its name, so any bare word
    that has is refused.
    """
    if "SERVICE" in word:
        raise QueryForbidden("SERVICE")
    if update := forbidden.fullmatch(word):
        raise QueryForbidden(update[1])


def _is_clause(text: str, name: Token) -> bool:
    """Say whether the parser may read this prefixed name as SERVICE and its target."""
    return "SERVICE" in name.prefix.upper() and _OPENS_GROUP.match(text, name.end) is not None


def _hides_clause(iri: str) -> bool:
    """Say whether an expression may hide in what looks like an IRI: FILTER(?a<?b)SERVICE#>."""
    _, closed, rest = iri.upper().partition(")")
    _, service, end = rest.partition("SERVICE")
    return bool(closed and service) and "#" in end


def _is_open_authority(token: Token) -> bool:
    """Say whether an IRI ends in an authority with a port, or may.

    `http://host:80` + `SERVICE` is no IRI: the parser then reads the prefix alone, and a clause.
    """
    if token.kind != "iri" or "//" not in (iri := iri_of(token)):
        return False
    scheme, _, authority = iri.partition("//")
    is_last = not any(mark in scheme + authority for mark in "/?#")
    return is_last and any(mark in authority for mark in ":]")


def _check_depth(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        if token.kind == "bracket":
            depth = max(0, depth + (1 if token.text in "([{" else -1))
        if depth > MAX_DEPTH:
            raise QueryTooComplex(f"more than {MAX_DEPTH} brackets within one another")


def _check_chains(tokens: list[Token]) -> None:
    operators = Counter(token.text for token in tokens if token.kind == "operator")
    for operator in _CHAINED:
        if operators[operator] > MAX_CHAIN:
            raise QueryTooComplex(f"more than {MAX_CHAIN} times the operator {operator}")


_LOAD: Final = re.compile(r"(LOAD)(?:SILENT|INTO)*")


def check_update(text: str) -> None:
    """Refuse an update that must not reach a child; its size is the caller's to judge.

    Raises:
        QueryForbidden: SERVICE or LOAD; `what` is the keyword.
        QueryTooComplex: As for a query.
    """
    readings = every_reading(text)
    for reading in readings:
        _check_keywords(text, reading, _LOAD)
    _check_depth(readings[0])
    _check_chains(readings[0])
