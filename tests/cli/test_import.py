"""The import command: exit codes, messages, and nothing changed by a refused file."""

import csv
import gzip
import hashlib
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from thc_graph.store.history.commits import History
from thc_graph.store.snapshots import snapshot

COMMUNES = "Type de territoire,Code INSEE,Nom,Département,Région,Population\n"
ACTEURS = "Nom,Type d'acteur,Slogan,Territoire(s) d'action\n"
PLANS = "Plan d'action,Collectivité\n"
GAP = "Nom,Objectif,Territoire,Projet ou engagement lié,Composition,Créé le\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (GAP + "Essai,But,Saillans,x,citoyens,2015\n", 3, "Plusieurs fiches portent ce nom"),
        (GAP + "Essai,But,Mulouse,x,citoyens,2015\n", 3, "Vouliez-vous dire : Mulhouse (68224)"),
        (GAP + "Essai,But,68224,x,citoyens,31/02/2016\n", 3, "Cette date n'existe pas"),
        (GAP + "Essai,But,68224,x,citoyens,bientôt\n", 3, "Cette date ne se lit pas"),
        (PLANS + "Essai,Mulouse\n", 3, "Vouliez-vous dire : Commune de Mulhouse (216802249)"),
        (PLANS + "Essai,68224\n", 3, "Vouliez-vous dire : Commune de Mulhouse (216802249)"),
        (GAP + "Essai,But,68224,x,martiens,2015\n", 3, "Cette valeur n'est pas dans la liste"),
        ("a,b,c\n1,2,3\n", 3, "Aucun modèle de feuille"),
        (COMMUNES + "commune,01001,Essai,01,84,860\n", 0, "Aperçu seulement"),
        (COMMUNES + "commune,1001,L'Abergement,01,84,860\n", 0, "Code complété"),
        (COMMUNES[:-1] + ",Météo\ncommune,01001,Essai,01,84,860,x\n", 0, "Colonne ignorée"),
        (COMMUNES + "commune,01001,Essai,01,84,beaucoup\n", 3, "Un nombre entier"),
        (COMMUNES + "planète,01001,L'Abergement,01,84,860\n", 3, "Ce type n'est pas dans la liste"),
    ],
)
def test_what_is_said(run, store: Path, tmp_path: Path, text: str, code: int, message: str) -> None:
    before = (store / "CURRENT").read_text()
    path = tmp_path / "feuille.csv"
    path.write_text(text, "utf-8")
    found, _, told = run(store, "import", path)
    assert (found, message in told) == (code, True), told
    assert (store / "CURRENT").read_text() == before


def test_a_missing_file_is_no_fault_of_the_data(run, store: Path, tmp_path: Path) -> None:
    code, _, told = run(store, "import", tmp_path / "absent.csv")
    assert (code, "absent.csv : fichier introuvable." in told) == (1, True), told


def test_a_file_that_is_no_sheet(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "image.csv"
    path.write_bytes(b"\x89PNG\0\0\0")
    code, _, told = run(store, "import", path)
    assert code == 3
    assert "n'est pas un tableau" in told


def test_a_fault_names_its_cell(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text(GAP + "Essai,But,Saillans,x,citoyens,2015\n", "utf-8")
    _, out, _ = run(store, "import", path, "--json")
    problem = next(p for p in json.loads(out)["problems"] if p["code"] == "ambiguous-reference")
    assert problem["cell"] == "gap.csv!C2"
    assert problem["column"] == "Territoire"
    assert problem["read"] == "Saillans"
    assert problem["candidates"] == ["Saillans (26289)", "Saillans (33364)"]


def test_what_is_published_twice_changes_nothing(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "acteurs.csv"
    path.write_text("Nom,Type d'acteur,Site web\nEssai,association,www.exemple.fr\n", "utf-8")
    code, _, told = run(store, "import", path, "--apply")
    assert (code, "Publié" in told) == (0, True), told
    code, _, told = run(store, "import", path, "--apply")
    assert (code, "Rien à changer" in told) == (0, True), told


# Preview


@pytest.fixture
def acteurs(run, bare: Path, tmp_path: Path) -> Path:
    """Publish ten actors, Acteur 0 to Acteur 9, and return their sheet."""
    path = tmp_path / "acteurs.csv"
    write(path, range(10))
    assert run(bare, "import", path, "--apply")[0] == 0
    return path


def write(path: Path, numbers, slogan: str = "Un", type_: str = "association") -> None:
    rows = [f"Acteur {n},{type_},{slogan},\n" for n in numbers]
    path.write_text(ACTEURS + "".join(rows), "utf-8")


def test_a_preview_says_what_changes_before_and_after(run, bare: Path, acteurs: Path) -> None:
    text = "Acteur 0,entreprise,,\nActeur 1,association,#vide,\nActeur 2,association,Un,\n"
    acteurs.write_text(ACTEURS + text + "Neuf,association,Deux,\n", "utf-8")
    before = (bare / "CURRENT").read_text()
    code, _, told = run(bare, "import", acteurs)
    assert code == 0
    assert told.splitlines()[:4] == [
        "~ Acteur 0   Type d’acteur   Association → Entreprise",
        "~ Acteur 1   Slogan   Un → —",
        "+ Neuf   (faits : 4)",
        "Fiches ajoutées : 1, modifiées : 2, retirées : 0, inchangées : 1.",
    ]
    assert (bare / "CURRENT").read_text() == before
    _, out, _ = run(bare, "import", acteurs, "--json")
    found = {each["label"]: each for each in json.loads(out)["changes"]}
    assert found["Acteur 1"]["facts"] == [{"property": "Slogan", "before": ["Un"], "after": []}]
    assert run(bare, "import", acteurs, "--exit-code")[0] == 6
    _, _, told = run(bare, "--lang", "en", "import", acteurs)
    assert "Records added: 1, changed: 2, removed: 0, unchanged: 1." in told


def test_a_number_written_otherwise_is_the_same(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "communes.csv"
    head = "Type de territoire,Code INSEE,Nom,Département,Région,Population,Latitude,Longitude\n"
    for latitude in ("49,0", "49,00"):
        path.write_text(head + f'commune,01001,Essai,01,84,860,"{latitude}",5.0\n', "utf-8")
        code, out, told = run(store, "import", path, "--apply", "--json")
        assert code == 0, told
    assert json.loads(out)["triples"] == {"added": 0, "removed": 0}


def test_a_missing_row_removes_nothing(run, bare: Path, acteurs: Path) -> None:
    write(acteurs, range(9))
    _, out, _ = run(bare, "import", acteurs, "--json")
    assert json.loads(out)["removed"] == 0


@pytest.mark.parametrize(
    ("kept", "options", "code", "removed"),
    [
        (9, ("--complete",), 0, 1),  # one of ten: at the limit, not over it
        (8, ("--complete",), 7, 2),
        (8, ("--complete", "--max-removals", "2"), 0, 2),
        (8, ("--complete", "--max-removals", "25%"), 0, 2),
        (8, ("--complete", "--max-removals", "beaucoup"), 2, None),
        (8, ("--complete", "--partial"), 2, None),
    ],
)
def test_a_complete_file_removes_within_a_limit(
    run, bare: Path, acteurs: Path, kept: int, options: tuple[str, ...], code: int, removed: int
) -> None:
    write(acteurs, range(kept))
    before = (bare / "CURRENT").read_text()
    found, out, told = run(bare, "import", acteurs, "--apply", "--json", *options)
    assert found == code, told
    if removed is not None:
        gone = [e for e in json.loads(out)["changes"] if e["kind"] == "removed"]
        assert len(gone) == json.loads(out)["removed"] == removed
    assert ((bare / "CURRENT").read_text() == before) == bool(code)


def test_a_file_is_complete_for_one_territory_alone(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "associations.csv"
    rows = (
        "Essai A,association,,26289",
        "Essai B,association,,68224",
        "Essai C,association,,26289",
    )
    path.write_text(ACTEURS + "\n".join(rows[:2]), "utf-8")
    assert run(store, "import", path, "--source", "local", "--apply")[0] == 0
    path.write_text(ACTEURS + rows[2], "utf-8")
    options = ("--source", "local", "--json", "--max-removals", "100%", "--complete-for")
    code, out, told = run(store, "import", path, *options, "26289")
    assert code == 0, told
    found = json.loads(out)["changes"]
    assert [each["label"] for each in found if each["kind"] == "removed"] == ["Essai A"]
    assert run(store, "import", path, *options, "Nulle-Part")[0] == 3


# Partial


def test_partial_publishes_sound_rows_and_returns_the_others(
    run, bare: Path, tmp_path: Path
) -> None:
    acteurs, plans = tmp_path / "jeu" / "acteurs.csv", tmp_path / "jeu" / "plans.csv"
    acteurs.parent.mkdir()
    acteurs.write_text(ACTEURS + "Sain,association,,\nFautif,planète,,\n", "utf-8")
    plans.write_text(
        "Plan d'action,Auteur du plan\nPlan sain,Sain\nPlan qui cite,Fautif\n", "utf-8"
    )
    (acteurs.parent / "dataset.yaml").write_text(
        "id: jeu\ntitle: Jeu\nfiles:\n- {file: acteurs.csv, order: 1}\n"
        "- {file: plans.csv, order: 2}\n",
        "utf-8",
    )
    back = tmp_path / "refus.xlsx"
    code, out, told = run(
        bare, "import", acteurs.parent, "--partial", "--apply", "--json", "--report", back
    )
    found = json.loads(out)
    assert code == 3, told
    assert found["commit"]
    assert found["refused_rows"] == 2
    assert sorted(e["label"] for e in found["changes"]) == ["Plan sain", "Sain", "jeu Jeu"]
    book = load_workbook(back)
    assert book["acteurs"]["A2"].value == "Fautif"
    assert book["plans"]["A2"].value == "Plan qui cite"
    assert book["plans"].max_row == 2


def test_partial_leaves_out_what_validation_refuses(run, bare: Path, tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_text("Plan d'action,Auteur du plan\nPlan sans auteur,\n", "utf-8")
    code, out, _ = run(
        bare, "import", path, "--partial", "--apply", "--json", "--report", tmp_path / "r.csv"
    )
    assert (code, json.loads(out)["commit"]) == (3, None)


# Messages


def test_a_fault_of_more_than_five_cells_is_said_once(run, bare: Path, acteurs: Path) -> None:
    write(acteurs, range(6), type_="planète")
    _, _, told = run(bare, "import", acteurs)
    lines = [line for line in told.splitlines() if "✖" in line]
    assert len(lines) == 1
    assert "6 cellules : acteurs.csv!B2, acteurs.csv!B3, acteurs.csv!B4…" in lines[0]
    write(acteurs, range(5), type_="planète")
    _, _, told = run(bare, "import", acteurs)
    assert sum("✖" in line for line in told.splitlines()) == 5
    _, _, told = run(bare, "--lang", "en", "import", acteurs)
    assert "This value is not in the list" in told
    assert "Nothing was written." in told


def test_the_report_is_inert_in_a_spreadsheet(run, bare: Path, tmp_path: Path) -> None:
    path, report = tmp_path / "acteurs.csv", tmp_path / "fautes.csv"
    path.write_text(ACTEURS + "Alpha,association,=cmd|' /C calc'!A0,\n", "utf-8")
    assert run(bare, "import", path, "--report", report)[0] == 3
    with report.open(encoding="utf-8-sig", newline="") as file:
        head, row = csv.reader(file)
    assert head[0] == "Cellule"
    assert row[0] == "acteurs.csv!C2"
    assert row[3].startswith("'=cmd")


def test_an_empty_cell_is_named_when_it_lacks(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_text("Plan d'action,Auteur du plan,Statut du plan\nPlan,,\n", "utf-8")
    code, out, _ = run(store, "import", path, "--json")
    assert code == 3
    cells = {problem["cell"] for problem in json.loads(out)["problems"]}
    assert cells & {"plans.csv!B2", "plans.csv!ligne 2"}


def test_records_elsewhere_are_told_apart(run, bare: Path, acteurs: Path, tmp_path: Path) -> None:
    plans = tmp_path / "plans.csv"
    plans.write_text("Plan d'action,Auteur du plan\nPlan,Acteur 9\n", "utf-8")
    assert run(bare, "import", plans, "--apply")[0] == 0
    write(acteurs, range(9))
    code, _, told = run(bare, "import", acteurs, "--complete", "--apply")
    assert code == 3
    heading, line = told.splitlines()[:2]
    assert heading == "Autres fiches touchées"
    assert "/id/plan/" in line


def test_the_patch_is_what_would_change(run, bare: Path, acteurs: Path, tmp_path: Path) -> None:
    write(acteurs, range(2), slogan="Deux")
    patch = tmp_path / "change.rdfp"
    assert run(bare, "import", acteurs, "--patch", patch)[0] == 0
    lines = patch.read_text("utf-8").splitlines()
    assert sum("slogan" in line and line.startswith("A ") for line in lines) == 2


# What is promised


def test_a_warning_refuses_only_where_that_is_asked(run, bare: Path, tmp_path: Path) -> None:
    path = tmp_path / "acteurs.csv"
    path.write_text("Nom,Type d'acteur,Site web\nEssai,association,www.exemple.fr\n", "utf-8")
    before = (bare / "CURRENT").read_text()
    assert run(bare, "import", path, "--apply", "--strict")[0] == 4
    assert (bare / "CURRENT").read_text() == before
    assert run(bare, "import", path, "--apply")[0] == 0
    assert (bare / "CURRENT").read_text() != before


def test_a_refused_file_leaves_no_trace_in_what_is_published(
    run, bare: Path, acteurs: Path
) -> None:
    published = sorted(map(str, snapshot.current(bare).store()))
    write(acteurs, range(10), type_="planète")
    assert run(bare, "import", acteurs, "--apply")[0] == 3
    assert sorted(map(str, snapshot.current(bare).store())) == published
    _, out, _ = run(bare, "imports", "list", "--json")
    assert len(json.loads(out)[0]["problems"]) == 10


def test_english_messages_are_english(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text(GAP + "Essai,But,Nulle-part,x,citoyens,2015\n", "utf-8")
    _, _, told = run(store, "--lang", "en", "import", path)
    assert "No record (territory) has this name or code. Create it first" in told


def test_a_whole_file_without_sense_gives_no_traceback(run, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "bruit.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 40)
    code, out, told = run(store, "import", path)
    assert code == 3
    assert "Traceback" not in out + told
    assert "bruit.xlsx" in told


def test_a_clock_that_is_behind_is_told(run, bare: Path, tmp_path: Path) -> None:
    path = tmp_path / "acteurs.csv"
    path.write_text("Nom,Type d'acteur\nAlpha,association\n", "utf-8")
    history = History(bare / "history")
    id_ = history.head or ""
    line, _, rest = history.text(id_).partition("\n")
    text = f"{json.dumps(json.loads(line) | {'time': '2090-01-01T10:00:00+00:00'})}\n{rest}"
    late = hashlib.sha256(text.encode()).hexdigest()
    history.path(late).write_bytes(gzip.compress(text.encode()))
    (bare / "history" / "HEAD").write_text(late)
    code, _, told = run(bare, "import", path, "--apply")
    assert (code, "L’horloge de cette machine retarde" in told) == (0, True), told
    assert [each.time[:4] for each in history.log()] == ["2090", "2090"]
    _, out, told = run(bare, "--lang", "en", "diff", "2090-01-01")
    assert "This machine’s clock is behind" in told
    assert f"Both name one publication, {(history.head or '')[:8]}" in told
    assert out == ""
