"""`thc-graph validate`: SHACL and the stored checks over everything published."""

from collections import Counter
from functools import partial
from typing import Annotated

import typer
from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.rdf.terms import A
from thc_graph.schema.reports import Violation
from thc_graph.schema.validation import violations
from thc_graph.store.snapshots.checks import broken
from thc_graph.store.snapshots.draft import facts
from thc_graph.store.writes.repository import Repository


@app.command()
def validate(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Valide tout ce qui est publié ; dit chaque avertissement."""
    _, repository = opened(context)
    found = validated(repository)
    refused = [each for each in found if each.refuses]
    if json:
        console.as_json([_as_dict(each, context.obj.language) for each in found])
    else:
        _tell(found, context.obj.language)
    raise typer.Exit(3 if refused else 0)


def validated(repository: Repository) -> list[Violation]:
    """Return every violation and warning of the published graph."""
    snapshot = repository.current()
    if snapshot is None:
        return []
    store = snapshot.store()
    typed = store.quads_for_pattern(None, A, None, DefaultGraph())
    nodes = {quad.subject for quad in typed if isinstance(quad.subject, NamedNode)}
    found = violations(nodes, partial(facts, store), repository.schema)
    return [*found, *broken(store, repository.derivation.library)]


def _tell(found: list[Violation], language: str) -> None:
    counts = Counter(
        (each.severity.value.rpartition("#")[2], each.message.in_(language)) for each in found
    )
    for (severity, message), number in counts.most_common():
        console.data(f"{severity}\t{number}\t{message}")
    console.say(f"{sum(each.refuses for each in found)} violations, {len(found)} résultats.")


def _as_dict(each: Violation, language: str) -> dict[str, str]:
    return {
        "focus": each.focus.value,
        "path": each.path.value if each.path else "",
        "severity": each.severity.value.rpartition("#")[2],
        "message": each.message.in_(language),
        "shape": each.shape.value if each.shape else "",
    }
