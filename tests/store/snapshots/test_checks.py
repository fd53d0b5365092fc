"""The checks as shipped: each runs, speaks both languages, and an import obeys them."""

from pathlib import Path

import pytest
from pyoxigraph import QuerySolutions, Store

import stores
from thc_graph.cli.import_ import load
from thc_graph.instance.settings import Settings, resources
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.store.library import Library
from thc_graph.store.snapshots.checks import broken
from thc_graph.store.writes.repository import Repository

LIBRARY = Library(resources().queries_folder)


@pytest.mark.parametrize("name", LIBRARY.names("check"))
def test_a_check_keeps_its_contract(name: str) -> None:
    query = LIBRARY.get(name)
    solutions = Store().query(query.text)
    assert isinstance(solutions, QuerySolutions)
    assert {"focus", "path", "value"} <= {each.value for each in solutions.variables}
    assert query.headers["severity"] in ("Violation", "Warning")
    assert query.headers["message fr"]
    assert query.headers["message en"]


def test_the_demonstration_breaks_none(demo: Repository) -> None:
    snapshot = demo.current()
    assert snapshot is not None
    assert [each for each in broken(snapshot.store(), LIBRARY) if each.refuses] == []


def test_a_follow_up_before_the_plan_was_approved_is_refused(
    demo: Repository, tmp_path: Path
) -> None:
    repository = stores.copied(demo, tmp_path)
    sheet = tmp_path / "suivi.csv"
    rows = (resources().data_folder / "demo" / "suivi.csv").read_text("utf-8").splitlines()
    reference = rows[1].split(",")[rows[0].split(",").index("Réf. engagement")]
    sheet.write_text(f"Réf. engagement,Date,Statut\n{reference},1999-01-01,En cours\n", "utf-8")
    settings = Settings(store=repository.root)
    report = load(inputs(sheet, "suivi"), repository, settings, "tests", apply=True)
    assert report.exit_code == 3
    assert any("validation du plan" in p.message.fr for p in report.problems)
    assert report.commit is None
