"""The lexer: the tokens of a SPARQL text, in each of the ways in which it may be read."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urljoin

MAX_IRI: Final = 1000  # characters of one that is resolved, with its base
_LETTER: Final = r"[A-Za-z\x80-\U0010ffff]"
_CHAR: Final = r"[\w\x80-\U0010ffff]"
_POINTS: Final = r"\.+(?=[\w:%\\\x80-\U0010ffff-])"  # a last point ends the triple instead
_ESCAPE: Final = r"\\[_~.\-!$&'()*+,;=/?\#@%]"

_TOKEN: Final = re.compile(
    rf"""
      (?P<space> [ \t\r\n]++ )
    | (?P<iri> <[^\x00-\x20<>"{{}}|^`]*+> )
    | (?P<number> (?: (?<![\w)\]}}>"'])[+-] )? (?: \d++\.?\d*+ | \.\d++ ) (?: [eE][+-]?\d++ )? )
    | (?P<variable> [?$]{_CHAR}++ )
    | (?P<name> (?P<prefix> _ | (?: {_LETTER} (?: {_CHAR} | [.-] ){{0,200}}+ (?<!\.) )? ) :
                (?P<local> (?: (?: {_CHAR} | [:%] | {_ESCAPE} )
                               (?: {_CHAR} | [:%-] | {_ESCAPE} | {_POINTS} )*+ )? ) )
    | (?P<word> {_CHAR}++ )
    | (?P<language> @[A-Za-z]+(?:-[A-Za-z0-9]+)*+ )
    | (?P<operator> \|\| | && | \^\^ | [<>!]= | [-+*/|^!<>=] )
    | (?P<bracket> [()\[\]{{}}] )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_STRINGS: Final = {  # what stands after the opening mark, the closing one included
    mark: re.compile(rf"(?:{held})*+{mark}", re.DOTALL)
    for mark, held in {
        '"""': r'[^"\\]|\\.|"(?!"")',
        "'''": r"[^'\\]|\\.|'(?!'')",
        '"': r'[^"\\\r\n]|\\.',
        "'": r"[^'\\\r\n]|\\.",
    }.items()
}

CODEPOINT: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U000([0-9A-Fa-f]{5})")


class _Ends:
    """Where the strings and the lines of one text end.

    A string that is sought costs its length, or all that follows where it has no end. A hostile
    text opens one at each place: when it was gone through some times, all ends are worked out
    in one pass from the last character.
    """

    TIMES: Final = 8

    def __init__(self, text: str) -> None:
        self.text = text
        self.passed = 0  # characters gone through
        self.strings: dict[str, list[int]] = {}
        self.lines: list[int] | None = None

    def of_line(self, start: int) -> int:
        """Return the end of the line that holds a place."""
        if self.lines is None:
            self.lines = [each.start() for each in re.finditer("[\r\n]", self.text)]
        place = bisect_left(self.lines, start)
        return self.lines[place] if place < len(self.lines) else len(self.text)

    def of_string(self, start: int) -> int:
        """Return the end of the string that opens at a place, 0 where none does."""
        quote = self.text[start]
        marks = (quote * 3, quote) if quote in "\"'" else ()
        opening = (mark for mark in marks if self.text.startswith(mark, start))
        return next(filter(None, (self._after(mark, start + len(mark)) for mark in opening)), 0)

    def _after(self, mark: str, start: int) -> int:
        if self.passed <= self.TIMES * len(self.text):
            found = _STRINGS[mark].match(self.text, start)
            self.passed += (found.end() if found else len(self.text)) - start
            return found.end() if found else 0
        if mark not in self.strings:
            self.strings[mark] = _ends(self.text, mark)
        return self.strings[mark][start]


def _ends(text: str, mark: str) -> list[int]:
    """Return for each place the end of the string that holds it, read from there; 0 for none."""
    ends = [0] * (len(text) + 2)
    for place in range(len(text) - 1, -1, -1):
        character = text[place]
        if character == "\\":
            ends[place] = ends[place + 2]
        elif text.startswith(mark, place):
            ends[place] = place + len(mark)
        elif len(mark) > 1 or character not in "\r\n":
            ends[place] = ends[place + 1]
    return ends


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    prefix: str
    local: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def prologue_of(tokens: list[Token]) -> tuple[dict[str, str], str]:
    """Return the prefixes and the base that a query declares."""
    prefixes, base = dict[str, str](), ""
    for token, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.text.upper() == "PREFIX" and second.kind == "name" and third.kind == "iri":
            prefixes[second.prefix] = resolved_iri(base, iri_of(third))
        elif token.text.upper() == "BASE" and second.kind == "iri":
            base = resolved_iri(base, iri_of(second))
    return prefixes, base


def outside_brackets(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    depth = 0
    for place, token in enumerate(tokens):
        if token.kind == "bracket":
            depth += 1 if token.text in "([{" else -1
        elif depth == 0:
            yield place, token


def resolved_iri(base: str, iri: str) -> str:
    """Return an IRI as a base has it; as it stands where it cannot be resolved, or not soon."""
    try:
        return urljoin(base, iri) if len(base) + len(iri) <= MAX_IRI else iri
    except ValueError:  # `http://[`
        return iri


def iri_of(token: Token) -> str:
    return CODEPOINT.sub(lambda code: chr(int(code[1] or code[2], 16)), token.text[1:-1])


def every_reading(text: str) -> list[list[Token]]:
    """Return every way to read the text; the first takes for an IRI all that can be one.

    The others start where a `<…>` that was "less than" would leave the reader:
    after the string that its quote or the comment that its `#` would open. No
    position is read twice: the time grows with the length, whatever the text.
    """
    readings, starts, seen, ends = [], [0], set[int](), _Ends(text)
    while starts:
        readings.append(reading_of(text, starts.pop(), seen, ends))
        starts.extend(_other_starts(text, readings[-1], ends))
    return readings


def _other_starts(text: str, tokens: list[Token], ends: _Ends) -> Iterator[int]:
    for token in tokens:
        if token.kind != "iri":
            continue
        if "'" in token.text:
            quotes = (place for place, each in enumerate(token.text, token.start) if each == "'")
            yield from filter(None, map(ends.of_string, quotes))
        if "#" in token.text:
            breaks = (text.find("\n", token.end), text.find("\r", token.end))
            yield from (each for each in breaks if each >= 0)


def reading_of(
    text: str, start: int = 0, seen: set[int] | None = None, ends: _Ends | None = None
) -> list[Token]:
    """Return the tokens from `start` to the end or to a position that was seen before."""
    seen, ends = set[int]() if seen is None else seen, ends or _Ends(text)
    tokens = []
    while start < len(text) and start not in seen:
        seen.add(start)
        if text[start] in "\"'" and (end := ends.of_string(start)):
            tokens.append(Token("string", text[start:end], start, "", ""))
            start = end
            continue
        if text[start] == "#":
            start = ends.of_line(start)
            continue
        match = _TOKEN.match(text, start)
        if match is None:  # never: the last alternative takes any character
            break
        kind = match.lastgroup or "other"
        if kind != "space":
            prefix, local = match["prefix"] or "", match["local"] or ""
            tokens.append(Token(kind, match[0], start, prefix, local))
        start = match.end()
    return tokens


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text, without space; all that can be an IRI is taken for one."""
    return reading_of(text)
