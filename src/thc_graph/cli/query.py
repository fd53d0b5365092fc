"""`thc-graph query`: SPARQL over the published graph, under the same limits as visitors'."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.errors import QueryNotAcceptable, QuerySyntaxError
from thc_graph.instance.settings import Settings
from thc_graph.rdf.formats import BINDINGS, GRAPHS
from thc_graph.store.engine.engine import Query
from thc_graph.store.engine.pool import Pool
from thc_graph.store.snapshots.snapshot import current

FORMATS = {
    "csv": ("text/csv",),
    "tsv": ("text/tab-separated-values",),
    "json": ("application/sparql-results+json",),
    "xml": ("application/sparql-results+xml",),
    "ttl": ("text/turtle",),
    "nt": ("application/n-triples",),
    "jsonld": ("application/ld+json",),
    "rdf": ("application/rdf+xml",),
}


@app.command()
def query(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FICHIER.rq", help="« - » pour l'entrée.")],
    format_: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "",
    timeout: Annotated[float, typer.Option(help="Limite, en secondes.")] = 10.0,
) -> None:
    """Interroge le graphe publié en SPARQL."""
    text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    types = FORMATS.get(format_, ("text/csv", *BINDINGS, *GRAPHS))
    settings, _ = opened(context)
    try:
        answer = asyncio.run(_answer(settings, Query(text, types, timeout)))
    except QuerySyntaxError as fault:
        console.fail(f"Erreur de syntaxe, ligne {fault.line} : {fault.message}", 2)
    except QueryNotAcceptable as fault:
        console.fail(f"Cette requête ne donne pas ce format : {', '.join(fault.offered)}.", 2)
    sys.stdout.buffer.write(answer)


async def _answer(settings: Settings, asked: Query) -> bytes:
    pool = Pool(current(settings.store).quads, 1)
    await pool.start()
    try:
        answer = await pool.answer(asked, lane="public")
        return b"".join([chunk async for chunk in answer.chunks])
    finally:
        await pool.stop()
