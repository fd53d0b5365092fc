"""`thc-graph export`: everything published, as one file in an RDF syntax."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from pyoxigraph import DefaultGraph, RdfFormat

from thc_graph.cli import console
from thc_graph.cli.app import app
from thc_graph.rdf.formats import by_suffix
from thc_graph.rdf.terms import PREFIXES
from thc_graph.store.snapshots import current


@app.command()
def export(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="« - » pour la sortie.")],
    format_: Annotated[
        str, typer.Option("--format", help="ttl, jsonld, rdf, nt, nq ou trig ; sinon, le suffixe.")
    ] = "",
) -> None:
    """Écrit tout ce qui est publié ; nq et trig gardent les graphes nommés."""
    form = by_suffix(format_ or path.suffix.removeprefix("."))
    if form is None:
        console.fail("Format inconnu : ttl, jsonld, rdf, nt, nq ou trig.", 2)
    store = current(context.obj.store).store()
    whole = form.syntax in (RdfFormat.N_QUADS, RdfFormat.TRIG)
    output = sys.stdout.buffer if str(path) == "-" else str(path)
    graph = None if whole else DefaultGraph()
    store.dump(output, format=form.syntax, from_graph=graph, prefixes=PREFIXES)
