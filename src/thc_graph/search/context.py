"""Context: the sentence of a text in which what was asked stands."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 180  # characters shown of a sentence
BEFORE: Final = 60  # of those, before the first word found where the sentence is longer
CUT: Final = "…"
# The index keeps an entity's texts together, « · » between two of them.
_BETWEEN: Final = re.compile(  # where some space begins, and never within it
    r"(?<!\s)(?:\s++·\s++|[^\S\n]*+\n\s*+)"
    r"|(?<=[.!?…]\s»)\s++|(?<=[.!?…])\s++(?=[A-ZÀ-ÖØ-Þ«“])"
)
_SPACE: Final = re.compile(r"\s")

Span = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """A part of a text; `matched` is to be marked."""

    text: str
    matched: bool


def context(text: str, marks: Iterable[Span]) -> tuple[Piece, ...]:
    """Return the sentence that holds most of what is marked, the first of equals.

    Args:
        text: One text or several.
        marks: Places in its UTF-8 bytes.

    >>> "".join(each.text for each in context("Un. Deux trois. Quatre", [(4, 8)]))
    'Deux trois.'
    """
    found = sorted(_characters(text, marks))
    sentence = max(_sentences(text), key=lambda each: _worth(text, _within(each, found)))
    start, end = _shortened(text, sentence, _within(sentence, found))
    pieces = list(_pieces(text, (start, end), found))
    before = [Piece(CUT, matched=False)] * (start > sentence[0])
    after = [Piece(CUT, matched=False)] * (end < sentence[1])
    return (*before, *pieces, *after)


def _characters(text: str, marks: Iterable[Span]) -> Iterator[Span]:
    content = text.encode()
    for start, end in marks:
        first = len(content[:start].decode())
        yield first, first + len(content[start:end].decode())


def _sentences(text: str) -> Iterator[Span]:
    start = 0
    for between in _BETWEEN.finditer(text):
        yield start, between.start()
        start = between.end()
    yield start, len(text)


def _within(span: Span, marks: Iterable[Span]) -> list[Span]:
    return [mark for mark in marks if span[0] <= mark[0] and mark[1] <= span[1]]


def _worth(text: str, marks: Sequence[Span]) -> int:
    """Return how many different words are marked."""
    return len({text[start:end].casefold() for start, end in marks})


def _shortened(text: str, sentence: Span, marks: Sequence[Span]) -> Span:
    """Return the part of a long sentence around its first mark, from a word to a word."""
    start, end = sentence
    if end - start <= LONGEST or not marks:
        return sentence
    if marks[0][0] - start > BEFORE:
        space = _SPACE.search(text, marks[0][0] - BEFORE, marks[0][0])
        start = space.end() if space else marks[0][0]
    if end - start > LONGEST:
        last = text.rfind(" ", marks[0][1], start + LONGEST)
        end = last if last > 0 else max(marks[0][1], start + LONGEST)
    return start, end


def _pieces(text: str, part: Span, marks: Iterable[Span]) -> Iterator[Piece]:
    done, end = part
    for first, last in _within(part, marks):
        if first > done:
            yield Piece(text[done:first], matched=False)
        yield Piece(text[first:last], matched=True)
        done = last
    if done < end:
        yield Piece(text[done:end], matched=False)
