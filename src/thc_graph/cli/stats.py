"""`thc-graph stats`: how much of what is published, and since which commit."""

from collections import Counter
from typing import Annotated

import typer
from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.rdf.terms import A
from thc_graph.schema.model import Schema
from thc_graph.store.snapshots.snapshot import current


@app.command()
def stats(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Compte les fiches de chaque classe et les triplets."""
    settings, repository = opened(context)
    snapshot = current(settings.store)
    store = snapshot.store()
    classes = Counter(
        quad.object for quad in store.quads_for_pattern(None, A, None, DefaultGraph())
    )
    counts = {_label(class_, repository.schema): n for class_, n in classes.most_common()}
    triples = sum(1 for _ in store.quads_for_pattern(None, None, None, DefaultGraph()))
    if json:
        console.as_json({"commit": snapshot.commit, "triples": triples, "classes": counts})
        return
    console.data(f"commit\t{snapshot.commit}\ntriplets\t{triples}")
    for label, number in counts.items():
        console.data(f"{label}\t{number}")


def _label(class_: object, schema: Schema) -> str:
    if not isinstance(class_, NamedNode):
        return str(class_)
    known = schema.classes.get(class_)
    return known.label.fr if known and known.label.fr else class_.value
