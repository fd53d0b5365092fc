"""`thc-graph diff`: what changed between two publications, in words or in RDF."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer
from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, serialize

from thc_graph.cli import console, endings, reports
from thc_graph.cli.app import app, opened
from thc_graph.rdf.changes import ChangeSet, patch
from thc_graph.rdf.terms import PREFIXES, RDF, A, Namespace
from thc_graph.store.history import undo
from thc_graph.store.history.commits import Commit
from thc_graph.store.snapshots.snapshot import current
from thc_graph.versions.differences import differences

CHANGED = 6
CS = Namespace("http://purl.org/vocab/changeset/schema#")


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"
    PATCH = "patch"
    TTL = "ttl"


@app.command()
def diff(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="Un commit, ou un jour (2026-11-23).")],
    last: Annotated[str, typer.Argument(metavar="[B]", help="De même ; sinon, le dernier.")] = "",
    form: Annotated[Form, typer.Option("--format", help="text, json, patch ou ttl.")] = Form.TEXT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Rend 6 s'il y a une différence.")
    ] = False,
) -> None:
    """Dit ce qui a changé de l'état A à l'état B ; un jour vaut pour sa dernière publication."""
    settings, repository = opened(context)
    history, language = repository.history, context.obj.language
    start = undo.named(history, first)
    end = undo.named(history, last or history.head or "")
    _tell(start, end, language)
    endings.tell_clock(history, language)
    change = undo.between(history, start, end)
    if form is Form.PATCH:
        console.data("\n".join(patch(change)))
    elif form is Form.TTL:
        written = serialize(_changesets(change), format=RdfFormat.TURTLE, prefixes=_PREFIXES)
        console.data((written or b"").decode())
    else:
        store = current(settings.store).store()
        found = differences(change, store, repository.schema, language)
        if form is Form.JSON:
            console.as_json([each.as_dict() for each in found])
        else:
            for each in found:
                console.data("\n".join(reports.lines(each, language, most=None)))
    raise typer.Exit(CHANGED if exit_code and change.facts() else 0)


def _tell(start: Commit, end: Commit, language: str) -> None:
    """Say which publications are compared: a day names the last one of it, or of before."""
    code = "diff-same" if start.id == end.id else "diff-between"
    facts = {"first": start.short, "since": start.time, "last": end.short, "until": end.time}
    console.say(reports.said(code, language, **facts))


_PREFIXES = {**PREFIXES, "cs": str(CS)}


def _changesets(change: ChangeSet) -> Iterator[Triple]:
    """Yield the facts in the Changeset vocabulary: one set an entity, a statement a fact."""
    facts = change.facts()
    sets = {node: BlankNode() for node in sorted(facts.subjects(), key=str)}
    for node, set_ in sets.items():
        yield Triple(set_, A, CS["ChangeSet"])
        yield Triple(set_, CS["subjectOfChange"], node)
    for property_, quads in ((CS["removal"], facts.removed), (CS["addition"], facts.added)):
        for triple in sorted({quad.triple for quad in quads}, key=str):
            if isinstance(triple.subject, NamedNode):
                yield from _statement(sets[triple.subject], property_, triple)


def _statement(set_: BlankNode, property_: NamedNode, triple: Triple) -> Iterator[Triple]:
    statement = BlankNode()
    yield Triple(set_, property_, statement)
    yield Triple(statement, A, RDF["Statement"])
    yield Triple(statement, RDF["subject"], triple.subject)
    yield Triple(statement, RDF["predicate"], triple.predicate)
    yield Triple(statement, RDF["object"], triple.object)
