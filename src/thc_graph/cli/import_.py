"""`thc-graph import`: sheets into the graph; without --apply, only says what would change."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pyoxigraph import NamedNode

from thc_graph.cli import console, endings, reports
from thc_graph.cli.app import app, opened
from thc_graph.errors import SheetError
from thc_graph.instance.settings import Settings
from thc_graph.names.published import known
from thc_graph.rdf.changes import patch
from thc_graph.rdf.terms import THC
from thc_graph.sheets.imports import load as loading
from thc_graph.sheets.imports.datasets import Input, inputs
from thc_graph.sheets.imports.load import TENTH, Options, Report
from thc_graph.sheets.imports.proposal import Complete
from thc_graph.store.writes.repository import Repository

PENDING = 6


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="Un tableur ou un dossier.")],
    apply: Annotated[bool, typer.Option("--apply", help="Publie ; sinon, aperçu seul.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Publie sans demander.")] = False,
    sheet: Annotated[str | None, typer.Option(help="Feuille, si elle n'est pas reconnue.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Correspondance d'en-têtes (YAML).")] = None,
    source: Annotated[str, typer.Option(help="Nom du jeu de données.")] = "feuilles",
    author: Annotated[str, typer.Option(help="Qui publie (une organisation).")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse les avertissements.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Publie les lignes saines, rend les autres.")
    ] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="Le fichier est complet : retire ce qui y manque.")
    ] = False,
    complete_for: Annotated[
        str, typer.Option(metavar="TERRITOIRE", help="Complet pour ce territoire seul.")
    ] = "",
    max_removals: Annotated[
        str, typer.Option(help="Retraits permis : un nombre, ou une part (10%).")
    ] = "10%",
    create: Annotated[
        bool, typer.Option("--create", help="Dit ce qui serait à créer d'abord.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Rapport : classeur annoté .xlsx, ou .csv.")
    ] = None,
    patch_: Annotated[Path | None, typer.Option("--patch", help="Écrit le RDF Patch.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Rend 6 si l'aperçu change quelque chose.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Rapport en JSON.")] = False,
) -> None:
    """Charge un tableur : tout ou rien, chaque faute nommée dans sa cellule."""
    settings, repository = opened(context)
    language = context.obj.language
    if partial and (complete or complete_for):
        console.fail("--partial laisse des lignes de côté : il ne va pas avec --complete.", 2)
    options = Options(
        base=settings.base,
        author=author or settings.publisher,
        apply=apply,
        strict=strict,
        partial=partial,
        complete=_complete(complete, complete_for, repository, settings.base),
        max_removals=_limit(max_removals),
    )
    files = inputs(path, sheet, mapping, source)

    def agreed(found: Report) -> bool:
        reports.tell(found, repository, language)
        return typer.confirm(reports.said("confirm", language), err=True)

    is_asked = sys.stdin.isatty() and not yes and not json
    with reports.stages(language) as progress:
        found = loading.load(files, repository, options, progress, agreed if is_asked else None)
    if json:
        console.as_json(reports.as_dict(found, repository, language))
    else:
        reports.tell(found, repository, language, create=create)
    if found.refused and report is None:
        report = Path(f"{path.stem}-refus.xlsx")
    if report is not None:
        reports.write(found, report, language)
    if patch_ is not None:
        patch_.write_text("\n".join(patch(found.proposal.change)) + "\n", "utf-8")
    pending = exit_code and not apply and bool(found.proposal.change)
    left = endings.tell(repository, language)
    raise typer.Exit(found.exit_code or (PENDING if pending else left))


def load(
    files: Iterable[Input],
    repository: Repository,
    settings: Settings,
    author: str,
    apply: bool,
    strict: bool = False,
) -> Report:
    """Load files with the usual options."""
    options = Options(base=settings.base, author=author, apply=apply, strict=strict)
    return loading.load(files, repository, options)


def _limit(text: str) -> float:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else max(float(text), TENTH / 1e9)
    except ValueError:
        console.fail(f"--max-removals : écrire 20 ou 10%, pas {text!r}.", 2)


def _complete(whole: bool, territory: str, repository: Repository, base: str) -> Complete | None:
    if not territory:
        return Complete() if whole else None
    return Complete(_territory(territory, repository, base))


def _territory(text: str, repository: Repository, base: str) -> NamedNode:
    """Return the published territory that a person names by code, label or IRI."""
    snapshot, schema = repository.current(), repository.schema
    shape = next(
        p
        for each in schema.shapes.values()
        for p in each.properties
        if p.classes == (THC["Territoire"],)
    )
    library = repository.derivation.library
    found = known(snapshot, library, schema, base).find(text, shape)
    if len(found) != 1:
        told = ", ".join(each.value for each in found)
        raise SheetError("--complete-for", f"{text} : {len(found)} territoires. {told}")
    return found[0]
