"""`thc-graph template`: workbooks to fill, empty or with what is published."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pyoxigraph import NamedNode, QuerySolutions, Store

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.instance.settings import resources
from thc_graph.names.names import Names
from thc_graph.names.published import known
from thc_graph.names.words import folded
from thc_graph.rdf import iris
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema
from thc_graph.schema.shapes import Sheet
from thc_graph.sheets.columns.template import template
from thc_graph.sheets.workbooks.filling import Filled, filled
from thc_graph.store import files
from thc_graph.store.writes.repository import Repository


@app.command("template")
def template_(
    context: typer.Context,
    classes: Annotated[
        list[str] | None, typer.Argument(metavar="CLASSE…", help="engagements, acteurs, gap…")
    ] = None,
    output: Annotated[Path, typer.Option("-o", help="Fichier .xlsx, .ods ou .csv.")] = Path(),
    every: Annotated[bool, typer.Option("--all", help="Toutes les feuilles.")] = False,
    full: Annotated[bool, typer.Option("--filled", help="Avec les données publiées.")] = False,
    territory: Annotated[str, typer.Option(help="Avec --filled : un seul territoire.")] = "",
    source: Annotated[str, typer.Option(help="Avec --filled : le jeu de données.")] = "",
    language: Annotated[
        str, typer.Option("--lang", help="Langues des textes : « fr », ou « fr,en ».")
    ] = "fr",
) -> None:
    """Écrit un tableur à remplir ; avec --filled, les données publiées à corriger."""
    from thc_graph.sheets.workbooks.pages import Page  # noqa: PLC0415 - writers are slow to load
    from thc_graph.sheets.workbooks.writers import WRITERS  # noqa: PLC0415

    found = resources()
    schema = read_schema(found.ontology_folder, found.shapes_folder)
    sheets = list(schema.sheets.values()) if every else [_sheet(c, schema) for c in classes or ()]
    writer = WRITERS.get(output.suffix)
    if not sheets or writer is None:
        known_sheets = ", ".join(schema.sheets)
        console.fail(f"Nommer une feuille et un fichier .xlsx, .ods ou .csv : {known_sheets}", 2)
    if output.suffix == ".csv" and len(sheets) > 1:
        console.fail("Un .csv ne contient qu'une feuille : choisir .xlsx ou .ods.", 2)
    if full:
        source, data = _published(context, sheets, source, territory)
        pages = [Page(each.template, tuple(each.rows)) for each in data]
        _tell(data, output, source)
    else:
        languages = tuple(language.split(","))
        pages = [Page(template(each, schema, languages)) for each in sheets]
        told = console.counted(len(pages), "feuille", "feuilles")
        console.say(f"{told} à remplir dans {output}")
    files.replace(output, writer(pages, source))


def _sheet(name: str, schema: Schema) -> Sheet:
    """Return the sheet that a person names: by its slug, its label, or a class's name or kind."""
    sheets = schema.sheets.values()
    named = [each for each in sheets if folded(name) in _words(each)]
    named += [each for each in sheets if folded(name) in _classes(each, schema)]
    if not named:
        console.fail(f"Feuille inconnue : {name}. Feuilles : {', '.join(schema.sheets)}.", 2)
    return named[0]


def _words(sheet: Sheet) -> set[str]:
    return {folded(sheet.slug), folded(sheet.label.fr)}


def _classes(sheet: Sheet, schema: Schema) -> set[str]:
    target = schema.shapes[sheet.row].target or sheet.row
    classes = schema.descendants(target)
    labels = {schema.classes[each].label.fr for each in classes if each in schema.classes}
    return {folded(word) for word in (*labels, *schema.kinds(target))}


def _published(
    context: typer.Context, sheets: list[Sheet], source: str, territory: str
) -> tuple[str, list[Filled]]:
    settings, repository = opened(context)
    snapshot = repository.current()
    store = snapshot.store() if snapshot else Store()
    source = source or _only_source(store, settings.base, sheets)
    names = known(snapshot, repository.derivation.library, repository.schema, settings.base)
    only = _of_territory(territory, store, names, repository) if territory else None
    data = []
    for sheet in sheets:
        graph = iris.graph(settings.base, f"{source}/{sheet.slug}")
        quads = store.quads_for_pattern(None, None, None, graph)
        data.append(filled(sheet, repository.schema, names, quads, only))
    return source, data


def _only_source(store: Store, base: str, sheets: list[Sheet]) -> str:
    """Return the one dataset that has data of these sheets."""
    slugs = {sheet.slug for sheet in sheets}
    sources = sorted({source for source, slug in _graphs(store, base) if slug in slugs})
    if len(sources) > 1:
        console.fail(f"Choisir un jeu de données avec --source : {', '.join(sources)}.", 2)
    return sources[0] if sources else "feuilles"


def _graphs(store: Store, base: str) -> Iterator[tuple[str, str]]:
    for graph in store.named_graphs():
        source, slash, slug = graph.value.removeprefix(f"{base}/graph/").rpartition("/")
        if slash and source != "catalogue" and not iris.is_provenance(graph):
            yield source, slug


def _of_territory(
    text: str, store: Store, names: Names, repository: Repository
) -> frozenset[NamedNode]:
    """Return what concerns a territory: itself, what is linked to it, and what hangs on these."""
    found = names.territories(text)
    if len(found) != 1:
        candidates = ", ".join(names.describe(each) for each in found)
        console.fail(f"Territoire inconnu ou ambigu : {text}. {candidates}".strip(), 2)
    query = repository.derivation.library.fill("template/of-territory", territory=found)
    solutions = store.query(query)
    assert isinstance(solutions, QuerySolutions)
    return frozenset(row["entity"] for row in solutions if isinstance(row["entity"], NamedNode))


def _tell(data: list[Filled], output: Path, source: str) -> None:
    count = sum(len(each.rows) for each in data)
    told = console.counted(count, "fiche écrite", "fiches écrites")
    console.say(f"{told} dans {output}")
    omitted = sum(len(each.omitted) for each in data)
    if omitted:
        console.say(
            f"{omitted} valeurs ne tiennent pas dans ces colonnes ; elles restent publiées."
        )
    console.say(f"Pour les publier après correction : thc-graph import {output} --source {source}")
