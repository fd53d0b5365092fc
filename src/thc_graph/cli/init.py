"""`thc-graph init`: a store with the vocabulary, the territories and the programme."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pyoxigraph import NamedNode, Quad

from thc_graph.cli import console, endings, reports
from thc_graph.cli.app import Global, app, repository
from thc_graph.cli.import_ import load
from thc_graph.errors import SettingsError
from thc_graph.instance.settings import Settings, read_settings, resources, write_settings
from thc_graph.rdf import iris
from thc_graph.rdf.changes import ChangeSet, diff
from thc_graph.rdf.terms import in_graph
from thc_graph.schema.reading import read_triples
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.store.writes import recovery
from thc_graph.store.writes.repository import Repository

AUTHOR = "thc-graph"
CONFORMANCE: dict[str, Any] = {  # house rules off, quotas wide: what the W3C's suites need
    "default_graph": "own",
    "rules": "none",
    "workers": 1,
    "refresh_seconds": 2.0,  # queries at the editors' door see their writes without it
    "client_seconds": 1e6,
    "client_failures": 1_000_000,
}


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DOSSIER]")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Ajoute le territoire fictif.")] = False,
    base: Annotated[str, typer.Option(help="Base des identifiants.")] = Settings.base,
    publisher: Annotated[str, typer.Option(help="Organisation qui publie.")] = "",
    bare: Annotated[bool, typer.Option("--bare", help="Vocabulaire seul.")] = False,
    conformance: Annotated[
        bool, typer.Option("--conformance", help="SPARQL seul : vide, sans règles ni union.")
    ] = False,
) -> None:
    """Crée un magasin : vocabulaire, territoires, contenu du programme. Peut être repris."""
    given: Global = context.obj
    store = folder or given.store
    settings = _settings(store, base, publisher, demo, conformance)
    created = repository(settings, given.language)
    recovery.make_sure(created)
    if conformance:
        publish(created, ChangeSet, "Magasin de conformité")
        console.say(f"Magasin prêt : {store}")
        return
    publish_vocabulary(created, settings.base)
    data = resources().data_folder
    chosen = (
        [] if bare else ["territories", "programme", *(["demo"] if settings.demonstration else [])]
    )
    for name in chosen:
        console.say(f"{name} …")
        report = load(inputs(data / name), created, settings, publisher or AUTHOR, apply=True)
        if report.exit_code:
            reports.tell(report, created, given.language)
            raise typer.Exit(report.exit_code)
        reports.tell_counts(report, given.language)
    console.say(f"Magasin prêt : {store}")
    raise typer.Exit(endings.tell(created, given.language))


def _settings(store: Path, base: str, publisher: str, demo: bool, conformance: bool) -> Settings:
    """Return the store's settings; an existing store keeps its own."""
    if (store / "settings.yaml").exists():
        settings = read_settings(store)
        if settings.demonstration != demo or settings.is_ruled == conformance:
            raise SettingsError(f"{store} est déjà un magasin d'une autre sorte.")
        return settings
    settings = Settings(store=store, base=base, publisher=publisher, demonstration=demo)
    if conformance:
        settings = replace(settings, **CONFORMANCE)
    write_settings(settings)
    return settings


def publish_vocabulary(repository: Repository, base: str) -> None:
    """Bring the published ontology and schemes in step with the files; once, nothing changes."""
    folder = resources().ontology_folder
    after: set[Quad] = set()
    for path in sorted(folder.rglob("*.ttl")):
        graph = iris.graph(base, f"vocabulaire/{path.stem}")
        after.update(in_graph(triple, graph) for triple in read_triples(path))
    graphs = {graph.value for graph in _graphs(after)}

    def change() -> ChangeSet:
        return diff(repository.quads(*graphs), after)

    publish(repository, change, "Vocabulaire : ontologie et schémas")


def publish(repository: Repository, propose: Callable[[], ChangeSet], message: str) -> None:
    """Publish what comes with the program; its faults are ours, and stop the command."""
    outcome = repository.publish(propose, AUTHOR, message)
    if not isinstance(outcome, list):
        return
    for each in outcome:
        console.say(f"{each.focus.value} {each.message.fr}")
    raise typer.Exit(3)


def _graphs(quads: set[Quad]) -> set[NamedNode]:
    return {q.graph_name for q in quads if isinstance(q.graph_name, NamedNode)}
