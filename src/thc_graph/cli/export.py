"""`thc-graph export`: what is published, as RDF or for Decidim; the templates' schemas."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from pyoxigraph import DefaultGraph, NamedNode, QuerySolutions, RdfFormat

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.instance.settings import resources
from thc_graph.rdf.formats import by_suffix
from thc_graph.rdf.terms import PREFIXES
from thc_graph.schema.reading import read_schema
from thc_graph.sheets.columns.template import template
from thc_graph.sheets.tables import escaping
from thc_graph.sheets.workbooks import metadata
from thc_graph.sheets.workbooks.pages import Page, as_csv
from thc_graph.store.files import replace
from thc_graph.store.snapshots.snapshot import current

DECIDIM: Final = {  # what Decidim's accountability import reads: our variables
    "id": "id",
    "title/fr": "title",
    "description/fr": "description",
    "start_date": "start_date",
    "end_date": "end_date",
    "status/id": "status",
    "progress": "progress",
    "parent/id": "",
    "category/id": "category",
    "proposals_ids": "",
}


@app.command()
def export(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="FICHIER", help="« - » pour la sortie.")
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="ttl, jsonld, rdf, nt, nq, trig ; sinon, le suffixe."),
    ] = "",
    decidim: Annotated[
        bool, typer.Option("--decidim", help="Les engagements, en CSV pour Decidim.")
    ] = False,
    plan: Annotated[str, typer.Option(help="Avec --decidim : la clef d'un plan d'action.")] = "",
    schemas: Annotated[
        Path | None, typer.Option(help="Dossier des schémas (Table Schema, CSVW) des modèles.")
    ] = None,
) -> None:
    """Écrit tout ce qui est publié ; nq et trig gardent les graphes nommés."""
    if schemas is not None:
        _write_schemas(schemas)
    elif path is None:
        console.fail("Nommer le fichier à écrire, ou « - ».", 2)
    elif decidim:
        _write(path, _decidim(context, plan))
    else:
        _dump(context, path, format_)


def _dump(context: typer.Context, path: Path, named: str) -> None:
    form = by_suffix(named or path.suffix.removeprefix("."))
    if form is None:
        console.fail("Format inconnu : ttl, jsonld, rdf, nt, nq ou trig.", 2)
    store = current(context.obj.store).store()
    whole = form.syntax in (RdfFormat.N_QUADS, RdfFormat.TRIG)
    output = sys.stdout.buffer if str(path) == "-" else str(path)
    graph = None if whole else DefaultGraph()
    store.dump(output, format=form.syntax, from_graph=graph, prefixes=PREFIXES)


def _write(path: Path, content: bytes) -> None:
    if str(path) == "-":
        sys.stdout.buffer.write(content)
    else:
        replace(path, content)


def _decidim(context: typer.Context, plan: str) -> bytes:
    settings, repository = opened(context)
    terms = {"plan": NamedNode(f"{settings.base}/id/plan/{plan}")} if plan else {}
    query = repository.derivation.library.fill("export/decidim", **terms)
    solutions = current(settings.store).store().query(query)
    assert isinstance(solutions, QuerySolutions)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(DECIDIM)
    for row in solutions:
        found = (row[name] if name else None for name in DECIDIM.values())
        writer.writerow(escaping.guarded(getattr(each, "value", "")) for each in found)
    return out.getvalue().encode("utf-8")


def _write_schemas(folder: Path) -> None:
    """Write, for each sheet, an empty CSV file, its Table Schema and its CSVW metadata."""
    found = resources()
    schema = read_schema(found.ontology_folder, found.shapes_folder)
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in schema.sheets.values():
        made = template(sheet, schema, ("fr", "en"))
        replace(folder / f"{sheet.slug}.csv", as_csv(Page(made)))
        _write_json(folder / f"{sheet.slug}.schema.json", metadata.table_schema(made))
        _write_json(folder / f"{sheet.slug}.csv-metadata.json", metadata.csvw(made))
    console.say(f"{len(schema.sheets)} modèles et leurs schémas dans {folder}")


def _write_json(path: Path, value: object) -> None:
    replace(path, json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8"))
