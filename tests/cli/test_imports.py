"""One import is one commit: listed, shown, undone; the graph says from which row each thing is."""

import json
import re
from pathlib import Path

import pytest

from thc_graph.cli.app import repository
from thc_graph.instance.settings import read_settings

HEAD = "Nom,Type d'acteur,Slogan\n"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "acteurs.csv"


def load(run, store: Path, sheet: Path, text: str) -> str:
    """Publish the sheet; return the commit."""
    sheet.write_text(HEAD + text, "utf-8")
    code, out, told = run(store, "import", sheet, "--apply", "--json")
    assert code == 0, told
    return json.loads(out)["commit"]


def rows(run, store: Path, tmp_path: Path) -> dict[str, str]:
    """Return the row of each entity, as a public SPARQL query reads it."""
    query = tmp_path / "rows.rq"
    query.write_text(
        "PREFIX prov: <http://www.w3.org/ns/prov#>\n"
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"
        "SELECT ?name ?row ?file { ?entity rdfs:label ?name . GRAPH ?g {\n"
        "  ?entity prov:wasDerivedFrom ?row . ?described rdfs:label ?file .\n"
        "  FILTER(STRSTARTS(STR(?row), CONCAT(STR(?described), '#'))) } } ORDER BY ?name ?row",
        "utf-8",
    )
    _, out, _ = run(store, "query", query)
    found: dict[str, str] = {}
    for line in out.splitlines()[1:]:
        name, row, file = line.split(",")
        found[name] = " ".join(filter(None, [found.get(name), f"{file}#{row.partition('#')[2]}"]))
    return found


def test_each_entity_is_derived_from_its_row(run, bare: Path, sheet: Path, tmp_path: Path) -> None:
    load(run, bare, sheet, "Alpha,association,Un\nBeta,association,Un\n")
    assert rows(run, bare, tmp_path) == {
        "Alpha": "acteurs.csv#row=2",
        "Beta": "acteurs.csv#row=3",
    }
    # An entity that does not change keeps its row; one that does has the new one.
    load(run, bare, sheet, "Gamma,association,Un\nBeta,association,Deux\nAlpha,association,Un\n")
    found = rows(run, bare, tmp_path)
    assert found["Alpha"] == "acteurs.csv#row=2"
    assert found["Beta"] == "acteurs.csv#row=3"
    assert found["Gamma"] == "acteurs.csv#row=2"
    head = repository(read_settings(bare)).history.head
    assert head is not None
    change = repository(read_settings(bare)).history.change(head)
    moved = {q.subject.value for q in change.removed if "wasDerivedFrom" in q.predicate.value}
    assert {iri.rpartition("/")[2] for iri in moved} == {"beta"}
    # Another file that adds a fact is a second source, not a replacement.
    load(run, bare, tmp_path / "autre.csv", "Beta,association,Trois\n")
    assert rows(run, bare, tmp_path)["Beta"] == "acteurs.csv#row=3 autre.csv#row=2"


def test_the_same_file_or_the_same_facts_change_nothing(run, bare: Path, sheet: Path) -> None:
    load(run, bare, sheet, "Alpha,association,Un\n")
    assert load(run, bare, sheet, "Alpha,association,Un\n") is None
    assert load(run, bare, sheet.with_name("copie.csv"), "Alpha,association,Un\n") is None


def test_provenance_is_no_fact_of_a_page(run, bare: Path, sheet: Path) -> None:
    load(run, bare, sheet, "Alpha,association,Un\n")
    snapshot = repository(read_settings(bare)).current()
    assert snapshot is not None
    assert not snapshot.store().query(
        "ASK { ?s <http://www.w3.org/ns/prov#wasDerivedFrom> ?row "
        "FILTER(CONTAINS(STR(?row), '/id/fichier/')) }"
    )


def test_a_commit_knows_its_author_file_and_hash(run, bare: Path, sheet: Path) -> None:
    commit = load(run, bare, sheet, "Alpha,association,Un\n")
    _, out, _ = run(bare, "log", commit[:8], "--json")
    (found,) = json.loads(out)
    assert found["author"] == "Essai"
    assert found["sources"][0]["name"] == "acteurs.csv"
    assert re.fullmatch(r"[0-9a-f]{64}", found["sources"][0]["sha256"])


def test_undo_restores_every_quad(run, bare: Path, sheet: Path) -> None:
    load(run, bare, sheet, "Alpha,association,Un\n")
    snapshot = repository(read_settings(bare)).current()
    assert snapshot is not None
    before = {quad for quad in snapshot.store() if "/graph/derive/" not in str(quad)}
    commit = load(run, bare, sheet, "Alpha,association,Deux\nBeta,entreprise,Un\n")
    code, _, told = run(bare, "imports", "undo", commit[:8], "--dry-run")
    assert (code, "~ Alpha   Slogan   Deux → Un" in told) == (0, True), told
    code, _, told = run(bare, "imports", "undo", commit[:8])
    assert (code, "Publié" in told) == (0, True), told
    snapshot = repository(read_settings(bare)).current()
    assert snapshot is not None
    after = {quad for quad in snapshot.store() if "/graph/derive/" not in str(quad)}
    assert after == before


def test_undo_is_refused_where_the_facts_changed_since(run, bare: Path, sheet: Path) -> None:
    first = load(run, bare, sheet, "Alpha,association,Un\n")
    second = load(run, bare, sheet, "Alpha,association,Deux\n")
    head = (bare / "CURRENT").read_text()
    code, _, told = run(bare, "imports", "undo", first[:8])
    assert code == 7
    assert second[:8] in told
    assert "/id/organisation/alpha  http://schema.org/slogan" in told
    assert (bare / "CURRENT").read_text() == head


def test_undo_is_validated_with_what_cites_what_it_removes(
    run, bare: Path, sheet: Path, tmp_path: Path
) -> None:
    commit = load(run, bare, sheet, "Alpha,association,Un\n")
    plans = tmp_path / "plans.csv"
    plans.write_text("Plan d'action,Auteur du plan\nPlan,Alpha\n", "utf-8")
    code, _, told = run(bare, "import", plans, "--apply")
    assert code == 0, told
    code, _, told = run(bare, "imports", "undo", commit[:8])
    assert code == 3, told
    assert "/id/plan/" in told


def test_imports_are_listed_and_shown(run, bare: Path, sheet: Path) -> None:
    commit = load(run, bare, sheet, "Alpha,association,Un\n")
    sheet.write_text(HEAD + "Beta,planète,Un\n", "utf-8")
    assert run(bare, "import", sheet, "--apply")[0] == 3
    _, out, _ = run(bare, "imports")
    last, first = out.splitlines()
    assert "rien publié" in last
    assert commit[:8] in first
    _, out, _ = run(bare, "imports", "show", last.split()[0])
    assert "acteurs.csv!B2\terror\tCette valeur n'est pas dans la liste" in out
    _, out, _ = run(bare, "--lang", "en", "imports", "show", last.split()[0])
    assert "This value is not in the list" in out
    _, out, _ = run(bare, "imports", "show", commit[:8])
    assert "+ Alpha" in out
    assert run(bare, "imports", "show", "nulle-part")[0] == 1
