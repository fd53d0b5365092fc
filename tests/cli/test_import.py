"""The import command: exit codes, messages, and nothing changed by a refused file."""

import json
import shutil
from pathlib import Path

import pytest

from thc_graph.cli import main
from thc_graph.store.publication import Repository

COMMUNES = "Type de territoire,Code INSEE,Nom,Département,Région,Population\n"
GAP = "Nom,Objectif,Territoire,Projet ou engagement lié,Composition,Créé le\n"


@pytest.fixture(scope="module")
def store(demo: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli") / "store"
    shutil.copytree(demo.root, root)
    return root


def run(
    store: Path, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch, *options: str
) -> tuple[int, str, str]:
    """Run the command as a person does, and return its exit code, stdout and stderr."""
    argv = ["thc-graph", "--store", str(store), "import", str(path), *options]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (GAP + "Essai,But,Saillans,x,citoyens,2015\n", 3, "Plusieurs fiches portent ce nom"),
        (GAP + "Essai,But,Mulouse,x,citoyens,2015\n", 3, "Vouliez-vous dire : Mulhouse (68224)"),
        (GAP + "Essai,But,68224,x,citoyens,31/02/2016\n", 3, "Cette date ne se lit pas"),
        (GAP + "Essai,But,68224,x,martiens,2015\n", 3, "Cette valeur n'est pas dans la liste"),
        ("a,b,c\n1,2,3\n", 3, "Aucun modèle de feuille"),
        (COMMUNES + "commune,01001,L'Abergement,01,84,860\n", 0, "Aperçu seulement"),
        (COMMUNES + "commune,1001,L'Abergement,01,84,860\n", 0, "Code complété"),
        (COMMUNES[:-1] + ",Météo\ncommune,01001,L'Abergement,01,84,860,x\n", 0, "Colonne ignorée"),
        (COMMUNES + "commune,01001,L'Abergement,01,84,beaucoup\n", 3, "Un nombre entier"),
        (COMMUNES + "planète,01001,L'Abergement,01,84,860\n", 3, "Ce type n'est pas dans la liste"),
    ],
)
def test_what_is_said(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    code: int,
    message: str,
) -> None:
    before = (store / "CURRENT").read_text()
    path = tmp_path / "feuille.csv"
    path.write_text(text, "utf-8")
    found, _, told = run(store, path, capsys, monkeypatch)
    assert (found, message in told) == (code, True), told
    assert (store / "CURRENT").read_text() == before


def test_a_missing_file_is_no_fault_of_the_data(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(store, tmp_path / "absent.csv", capsys, monkeypatch)[0] == 1


def test_a_file_that_is_no_sheet(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image.csv"
    path.write_bytes(b"\x89PNG\0\0\0")
    code, _, told = run(store, path, capsys, monkeypatch)
    assert code == 3
    assert "n'est pas un tableau" in told


def test_a_fault_names_its_cell(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gap.csv"
    path.write_text(GAP + "Essai,But,Saillans,x,citoyens,2015\n", "utf-8")
    _, out, _ = run(store, path, capsys, monkeypatch, "--json")
    problem = next(p for p in json.loads(out)["problems"] if p["code"] == "ambiguous-reference")
    assert problem["cell"] == "gap.csv!C2"
    assert problem["column"] == "Territoire"
    assert problem["read"] == "Saillans"
    assert problem["candidates"] == ["Saillans (26289)", "Saillans (33364)"]


def test_what_is_published_twice_changes_nothing(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "acteurs.csv"
    path.write_text("Nom,Type d'acteur,Site web\nEssai,association,www.exemple.fr\n", "utf-8")
    code, _, told = run(store, path, capsys, monkeypatch, "--apply")
    assert (code, "Publié" in told) == (0, True), told
    code, _, told = run(store, path, capsys, monkeypatch, "--apply")
    assert (code, "Rien à changer" in told) == (0, True), told
