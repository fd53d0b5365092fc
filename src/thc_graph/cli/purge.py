"""`thc-graph purge`: erase a person or a fact from all that is kept; without --yes, only look."""

from enum import StrEnum
from typing import Annotated

import typer
from pyoxigraph import NamedNode

from thc_graph.cli import console, endings
from thc_graph.cli.app import app, opened
from thc_graph.errors import NothingToPurge
from thc_graph.rdf.terms import PREFIXES
from thc_graph.store.history import erasure as erasures
from thc_graph.store.history import purge as purges
from thc_graph.store.history.commits import Commit
from thc_graph.store.history.erasure import Erasure, Findings

MOST = 20  # entities listed of each sort


class Reason(StrEnum):
    """Why: it is all that a tombstone says beside the day."""

    request = "request"
    order = "order"
    mistake = "mistake"


@app.command()
def purge(
    context: typer.Context,
    iris: Annotated[list[str], typer.Argument(metavar="IRI…", help="Ce qu'il faut effacer.")],
    reason: Annotated[
        Reason,
        typer.Option(
            help="request : la personne le demande ; order : la loi l'exige ; mistake : erreur."
        ),
    ],
    facts: Annotated[
        list[str] | None,
        typer.Option(help="Seulement ces propriétés, par IRI ou abrégées (schema:email)."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Efface ; sinon, aperçu seul.")] = False,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Efface de tout l'historique une personne ou un fait ; ne laisse qu'une date et un motif."""
    settings, repository = opened(context)
    erasure = Erasure(tuple(map(_iri, iris)), tuple(map(_iri, facts or ())), reason.value)
    found = erasures.find(repository.history, erasure)
    if not found.lines:
        raise NothingToPurge(", ".join(iris))
    commit, left = None, []
    if yes:
        with repository.writing() as writer:
            commit = writer.purge(erasure, settings.publisher or "thc-graph")
        left = [str(path) for path in purges.holding(settings.store, found.vanishing)]
    if json:
        console.as_json(_as_dict(found, commit, left))
    else:
        _tell(found, commit, left)
    raise typer.Exit(1 if left else endings.tell(repository, context.obj.language))


def _iri(text: str) -> str:
    prefix, _, name = text.strip("<>").partition(":")
    iri = PREFIXES[prefix] + name if prefix in PREFIXES else text.strip("<>")
    try:
        return NamedNode(iri).value
    except ValueError:
        console.fail(f"Ce n'est pas un IRI : {text}", 2)


def _tell(found: Findings, commit: Commit | None, left: list[str]) -> None:
    console.data(f"{found.lines} faits, dans {found.commits} publications.")
    _list("Fiches qui le citent et perdent un lien", found.citing)
    _list("Fiches qui en gardent trace, à effacer aussi si elles le concernent", found.echoes)
    if commit is None:
        console.say("Aperçu seulement. Effacer avec --yes : rien ne pourra le rétablir.")
        return
    console.say(f"Effacé : {commit.short}. Restent une date et un motif, sans rien de l'effacé.")
    for path in left:
        console.say(f"✖ Encore dans {path} : à effacer à la main.")
    console.say(
        "À votre charge : les sauvegardes (en refaire une, détruire les anciennes), les copies "
        "et les feuilles d'origine, sans quoi un import le publierait de nouveau."
    )


def _list(title: str, iris: set[str]) -> None:
    if iris:
        console.data(f"{title} ({len(iris)}) :")
        console.data("\n".join(f"  {each}" for each in sorted(iris)[:MOST]))


def _as_dict(found: Findings, commit: Commit | None, left: list[str]) -> dict[str, object]:
    return {
        "commit": commit.id if commit else None,
        "facts": found.lines,
        "commits": found.commits,
        "citing": sorted(found.citing),
        "echoes": sorted(found.echoes),
        "left": left,
    }
