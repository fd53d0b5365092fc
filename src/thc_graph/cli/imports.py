"""`thc-graph imports`: the private journal of imports, and undoing one of them."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from thc_graph.cli import console, endings, harms, reports
from thc_graph.cli.app import app, opened
from thc_graph.errors import StoreUnsound, UndoConflict
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.reports import Violation
from thc_graph.schema.validation import Accepted
from thc_graph.sheets.imports.journal import Entry, entries
from thc_graph.store.history import undo as undoing
from thc_graph.store.history.commits import Commit
from thc_graph.store.writes.repository import Repository
from thc_graph.versions.differences import differences

FACTS = 5  # named in a conflict
Json = Annotated[bool, typer.Option("--json", help="En JSON.")]

commands = typer.Typer(help="Les imports : liste, détail, annulation.")
app.add_typer(commands, name="imports")


@commands.callback(invoke_without_command=True)
def imports(context: typer.Context) -> None:
    """Dit les imports, refusés compris ; `undo` en annule un."""
    if context.invoked_subcommand is None:
        list_(context)


@commands.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """Liste les imports, le dernier d'abord."""
    settings, _ = opened(context, sure=False)
    found = list(entries(settings.store, partial(_tell_harmed, language=context.obj.language)))
    if json:
        console.as_json([vars(each) for each in found])
    elif found:
        console.data("\n".join(map(_line, found)))


@commands.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NUMÉRO", help="D'un import ou de son commit.")],
    json: Json = False,
) -> None:
    """Dit tout d'un import : ce qu'il a changé, les lignes refusées et pourquoi."""
    settings, repository = opened(context, sure=False)
    found = [e for e in entries(settings.store) if name in (e.id, e.commit) or _starts(e, name)]
    if not found:
        console.fail(f"Aucun import « {name} » : voir `thc-graph imports`.", 1)
    if json:
        console.as_json(vars(found[0]))
    else:
        _tell(found[0], repository, context.obj.language)


@commands.command()
def undo(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NUMÉRO", help="D'un import ou d'un commit.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Dit seulement l'effet.")] = False,
    author: Annotated[str, typer.Option(help="Qui annule (une organisation).")] = "",
) -> None:
    """Annule un import par une nouvelle publication, sauf si ses faits ont changé depuis."""
    settings, repository = opened(context)
    language = context.obj.language
    commit = undoing.named(repository.history, _commit_of(name, list(entries(settings.store))))
    change = _inverse(repository, commit, language)
    facts = change.facts()
    console.say(reports.said("undo", language, removed=len(facts.removed), added=len(facts.added)))
    console.say(reports.said("undo-clear", language))
    with repository.draft(change) as draft:
        _tell_change(facts, repository, language, console.say)
        _stop_on_faults(repository.check(change, draft), language)
    if dry_run or not change:
        return
    said = reports.said("undone", "fr", commit=commit.short, message=commit.message)
    inverse = partial(_inverse, repository, commit, language)
    outcome = repository.publish(inverse, author or settings.publisher, said)
    if isinstance(outcome, list):
        _stop_on_faults(outcome, language)
    elif outcome is not None:  # else another has undone it meanwhile
        console.say(reports.said("published", language, commit=outcome.commit.short))
    raise typer.Exit(endings.tell(repository, language))


def _inverse(repository: Repository, commit: Commit, language: str) -> ChangeSet:
    try:
        return undoing.inverse(repository.history, commit)
    except UndoConflict as fault:
        later = ", ".join(each[:8] for each in fault.later)
        count = len(fault.facts)
        console.say(
            reports.said("undo-conflict", language, commit=commit.short, count=count, later=later)
        )
        for subject, property_ in fault.facts[:FACTS]:
            console.say(f"  {subject}  {property_}")
        raise typer.Exit(7) from None


def _stop_on_faults(outcome: Accepted | list[Violation], language: str) -> Accepted:
    if isinstance(outcome, Accepted):
        return outcome
    for each in outcome:
        if each.refuses:
            console.say(f"  ✖ {each.focus.value}  {each.message.in_(language)}")
    console.say(reports.said("nothing-written", language))
    raise typer.Exit(3)


def _commit_of(name: str, found: list[Entry]) -> str:
    """Return the commit of the import that goes by this name; a commit is its own name."""
    return next((e.commit for e in found if e.commit and name and e.id == name), name)


def _tell_harmed(file: str, language: str) -> None:
    console.say(harms.sentence(StoreUnsound(file, "unreadable"), language))


def _starts(entry: Entry, name: str) -> bool:
    return entry.id.startswith(name) or (entry.commit or "").startswith(name)


def _line(entry: Entry) -> str:
    outcome = entry.commit[:8] if entry.commit else "rien publié"
    return f"{entry.id}  {entry.time}  {outcome}  {', '.join(entry.files)}"


def _tell(entry: Entry, repository: Repository, language: str) -> None:
    console.data(_line(entry))
    console.data(reports.said("entities", language, **({"removed": 0} | entry.counts)))
    for problem in entry.problems:
        text = problem.get(f"message_{language}") or problem["message"]
        console.data(f"{problem['cell']}\t{problem['severity']}\t{text}")
    if entry.commit:
        change = repository.history.change(entry.commit)
        _tell_change(change, repository, language, console.data)


def _tell_change(
    change: ChangeSet, repository: Repository, language: str, out: Callable[[str], None]
) -> None:
    snapshot = repository.current()
    if snapshot is not None:
        found = differences(change, snapshot.store(), repository.schema, language)
        reports.tell_changes(found, language, out)
