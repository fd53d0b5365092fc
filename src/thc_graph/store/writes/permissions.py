"""Permissions: which graphs are written at the editors' door, and by whom.

A graph of a source is `{base}/graph/{source}/{sheet}`. The sources below are not anybody's:
the program makes those graphs, or keeps its own accounts in them.
"""

import re
from typing import Final, Literal
from unicodedata import normalize
from urllib.parse import unquote

from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.rdf import iris

Role = Literal["read", "write", "admin"]
MADE: Final = frozenset({"derive", "catalogue", iris.PROVENANCE, "mirror", "union"})
BY_ADMIN: Final = frozenset({"vocabulaire"})  # comes with the program
_NEVER: Final = re.compile(r"[?#]")  # a graph's name is a path, and nothing more

MOST: Final = 250_000  # facts that one write may change: what a document of 16 MB may hold

GraphName = NamedNode | DefaultGraph


def may_write(role: Role, graph: GraphName, base: str) -> bool:
    """Tell whether a graph is to be written by someone of a role: one of a source, under `base`.

    A name is judged by what it means once its dots and its %-codes are resolved, as any
    reader of IRIs may resolve them (RFC 3986, section 6.2.2).
    """
    if not isinstance(graph, NamedNode) or not graph.value.startswith(f"{base}/graph/"):
        return False
    name = graph.value.removeprefix(f"{base}/graph/")
    source, *rest = segments = _plain(name).split("/")
    if _NEVER.search(name) or any(each.strip() in ("", ".", "..") for each in segments):
        return False
    if source in MADE or (rest and iris.is_provenance(graph)):
        return False
    return source not in BY_ADMIN or role == "admin"


def most(role: Role) -> int | None:
    """Return how many facts someone of a role may change by one write, None for any number."""
    return None if role == "admin" else MOST


def _plain(name: str) -> str:
    """Return a name without %-codes, however often it was encoded, in one spelling."""
    while (once := unquote(name)) != name:
        name = once
    return normalize("NFKC", name).casefold()
