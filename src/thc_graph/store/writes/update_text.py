"""The text of an update: what it names, what it does, and its dataset written out."""

from collections.abc import Sequence
from typing import Final

from pyoxigraph import NamedNode

from thc_graph.errors import (
    QuerySyntaxError,
)
from thc_graph.store.engine import lexer

_PROLOGUE: Final = frozenset({"PREFIX", "BASE", "VERSION"})

_DATA: Final = _PROLOGUE | {"INSERT", "DELETE", "DATA"}
_MODIFIES: Final = frozenset({"WITH", "DELETE", "INSERT", "USING", "NAMED", "WHERE"})
_NAMES_DATASET: Final = ("USING", "WITH")


def without_silent_loads(text: str) -> str:
    """Return the update with nothing in the place of each LOAD SILENT.

    Nothing is ever fetched here, and SILENT asks that such a failure be a success
    (SPARQL 1.1 Update, section 3.1.4). What is left of LOAD, the guard refuses.
    """
    found, end, parts = lexer.tokens(text), 0, list[str]()
    words = [token.text.upper() for token in found]
    for place, token in enumerate(found[:-2]):
        if words[place : place + 2] != ["LOAD", "SILENT"]:
            continue
        last = place + (5 if words[place + 3 : place + 5] == ["INTO", "GRAPH"] else 2)
        parts += [text[end : token.start], "INSERT DATA {}"]
        end = found[min(last, len(found) - 1)].end
    return "".join([*parts, text[end:]])


def mentioned(text: str) -> str | None:
    """Return an update that inserts all that the text inserts or deletes, if it is but data."""
    depth, words, edited, end = 0, list[str](), list[str](), 0
    for token in lexer.tokens(text):
        if token.kind == "bracket":
            depth += 1 if token.text in "([{" else -1
        if depth or token.kind != "word":
            continue
        words.append(token.text.upper())
        if words[-1] == "DELETE":
            edited += [text[end : token.start], "INSERT"]
            end = token.end
    keywords = words.count("INSERT") + words.count("DELETE")
    if not set(words) <= _DATA or keywords != words.count("DATA"):
        return None
    return "".join([*edited, text[end:]])


def operation(text: str) -> dict[str, str] | None:
    """Return the parts of an update that is one DELETE/INSERT … WHERE (section 3.1.3)."""
    parts, marks = dict[str, str](), dict[str, int]()
    depth, start, word = 0, 0, ""
    for token in lexer.tokens(text):
        if token.kind == "bracket":
            start = token.start if depth == 0 else start
            depth += 1 if token.text in "([{" else -1
            if depth == 0:
                parts[word] = text[start : token.end]
        elif depth == 0 and (token.text == ";" or "WHERE" in parts):
            return None
        elif depth == 0 and token.kind == "word" and (token.text.upper() not in _PROLOGUE or marks):
            word = token.text.upper()
            if word not in _MODIFIES or (word in marks and word not in ("USING", "NAMED")):
                return None
            marks.setdefault(word, token.start)
    if "WHERE" not in parts or not parts.keys() <= {"DELETE", "INSERT", "WHERE"}:
        return None
    first = min(marks.values())
    after_with = min(marks[each] for each in ("DELETE", "INSERT") if each in marks)
    return {
        "prologue": text[:first],
        "with": text[first:after_with],
        "dataset": text[marks.get("USING", marks["WHERE"]) : marks["WHERE"]],
        "delete": parts.get("DELETE", parts["WHERE"] if "DELETE" in marks else "{}"),
        "insert": parts.get("INSERT", "{}"),
        "where": parts["WHERE"],
    }


def with_dataset(text: str, using: Sequence[str], using_named: Sequence[str]) -> str:
    """Return the update with USING clauses before each WHERE, as the protocol asks."""
    clauses = _clauses(using, using_named)
    depth, before, end, parts = 0, "", 0, list[str]()
    for token in lexer.tokens(text):
        if token.kind == "bracket":
            depth += 1 if token.text in "([{" else -1
        elif depth == 0 and token.kind == "word":
            word = token.text.upper()
            if word in _NAMES_DATASET:
                raise QuerySyntaxError(f"{word} beside using-graph-uri", *_place(text, token.start))
            if word == "WHERE":
                pattern = _group(text[token.end :]) if before == "DELETE" else ""
                parts += [text[end : token.start], f"{pattern} {clauses} "]
                end = token.start
            before = word
    return "".join([*parts, text[end:]])


def _clauses(using: Sequence[str], using_named: Sequence[str]) -> str:
    try:
        return " ".join(
            [
                *(f"USING {NamedNode(iri)}" for iri in using),
                *(f"USING NAMED {NamedNode(iri)}" for iri in using_named),
            ]
        )
    except ValueError as fault:
        raise QuerySyntaxError(f"not the IRI of a graph: {fault}") from fault


def _group(text: str) -> str:
    """Return the first group of a text, its braces included."""
    depth, start = 0, 0
    for token in lexer.tokens(text):
        if token.kind == "bracket":
            start = token.start if depth == 0 else start
            depth += 1 if token.text in "([{" else -1
            if depth == 0:
                return text[start : token.end]
    raise QuerySyntaxError("a group is not closed")


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
