"""`thc-graph import`: sheets into the graph; without --apply, only says what would change."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.schema.validation import Accepted
from thc_graph.settings import Settings
from thc_graph.sheets import journal
from thc_graph.sheets.datasets import Input, inputs
from thc_graph.sheets.importing import Proposal, judged, propose
from thc_graph.sheets.problems import Problem, Severity
from thc_graph.store.publication import Repository, Writer


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="Un CSV ou un dossier.")],
    apply: Annotated[bool, typer.Option("--apply", help="Publie ; sinon, aperçu seul.")] = False,
    sheet: Annotated[str | None, typer.Option(help="Feuille, si elle n'est pas reconnue.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Correspondance d'en-têtes (YAML).")] = None,
    source: Annotated[str, typer.Option(help="Nom du jeu de données.")] = "feuilles",
    author: Annotated[str, typer.Option(help="Qui publie (une organisation).")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse les avertissements.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Rapport en JSON.")] = False,
) -> None:
    """Charge un tableur : tout ou rien, chaque faute nommée dans sa cellule."""
    settings, repository = opened(context)
    files = inputs(path, sheet, mapping, source)
    report = load(files, repository, settings, author or settings.publisher, apply, strict)
    if json:
        console.as_json(report.as_dict(context.obj.language))
    else:
        report.tell(context.obj.language)
    raise typer.Exit(report.exit_code)


class Report:
    """What came of an import."""

    def __init__(self, proposal: Proposal, problems: list[Problem], strict: bool) -> None:
        self.proposal, self.problems, self.strict = proposal, problems, strict
        self.commit: str | None = None
        self.is_preview = False

    def count(self, severity: Severity) -> int:
        return sum(each.severity is severity for each in self.problems)

    @property
    def exit_code(self) -> int:
        if self.count(Severity.ERROR):
            return 3
        return 4 if self.strict and self.count(Severity.WARNING) else 0

    def as_dict(self, language: str) -> dict[str, object]:
        change = self.proposal.change
        return {
            "commit": self.commit,
            **self.proposal.entities,
            "triples": {"added": len(change.added), "removed": len(change.removed)},
            "conforms": not self.count(Severity.ERROR),
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "problems": [each.as_dict(language) for each in self.problems],
        }

    def tell(self, language: str) -> None:
        console.problems(self.problems, language)
        counts = self.proposal.entities
        console.say(
            f"{counts['added']} fiches ajoutées, {counts['changed']} modifiées, "
            f"{counts['unchanged']} inchangées ; {self.count(Severity.ERROR)} erreurs, "
            f"{self.count(Severity.WARNING)} avertissements."
        )
        console.say(self._outcome())

    def _outcome(self) -> str:
        if self.exit_code:
            return "Rien n'a été écrit."
        if self.commit:
            return f"Publié : {self.commit[:8]}."
        if not self.proposal.change:
            return "Rien à changer."
        return "Aperçu seulement. Publier avec --apply."


def load(
    files: Iterable[Input],
    repository: Repository,
    settings: Settings,
    author: str,
    apply: bool,
    strict: bool = False,
) -> Report:
    """Propose, validate and, with `apply`, publish; keep the report in the private journal."""
    given = list(files)
    holding: AbstractContextManager[Writer | None] = (
        repository.writing() if apply else nullcontext()
    )
    with holding as writer:
        proposal = propose(given, repository, settings.base)
        report = Report(proposal, list(proposal.problems), strict)
        if not proposal.errors and proposal.change:
            _validate(report, repository, writer, author)
    if apply:
        names = [each.path.name for each in given]
        counts = proposal.entities
        journal.write(settings.store, names, report.commit, counts, report.problems)
    return report


def _validate(report: Report, repository: Repository, writer: Writer | None, author: str) -> None:
    proposal = report.proposal
    with repository.draft(proposal.change) as draft:
        outcome = repository.check(proposal.change, draft)
        report.problems += judged(proposal, outcome, repository.schema)
        if writer is not None and isinstance(outcome, Accepted) and not report.exit_code:
            names = ", ".join(source.name for source in proposal.sources)
            commit = writer.publish(draft, outcome, author, f"Import : {names}", proposal.sources)
            report.commit = commit.id
