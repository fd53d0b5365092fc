"""Publishing pushes to the remote engine; `push` finishes what could not be."""

from pathlib import Path

import httpx
import pytest

from engines import free_port, oxigraph
from thc_graph.cli import main
from thc_graph.settings import Settings, write_settings
from thc_graph.store.mirror import union

CONCEPTS = "SELECT (COUNT(*) AS ?n) { ?s a <http://www.w3.org/2004/02/skos/core#Concept> }"

LEFT = "Publié ici, pas là-bas : le moteur distant n’a pas suivi"


def head(store: Path) -> str:
    return (store / "history" / "HEAD").read_text()


def run(monkeypatch: pytest.MonkeyPatch, store: Path, *argv: str) -> int:
    monkeypatch.setattr("sys.argv", ["thc-graph", "--store", str(store), *argv])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_push(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    nobody = f"http://127.0.0.1:{free_port()}"
    write_settings(Settings(store, remote=f"{nobody}/query", remote_update=f"{nobody}/update"))
    assert run(monkeypatch, store, "init", "--bare") == 1
    assert LEFT in capsys.readouterr().err
    sheet = tmp_path / "acteurs.csv"
    sheet.write_text("Nom,Type d'acteur\nAlpha,association\n", "utf-8")
    assert run(monkeypatch, store, "import", str(sheet), "--apply") == 1
    told = capsys.readouterr().err
    assert LEFT in told
    assert "Publié : " in told
    assert run(monkeypatch, store, "--lang", "en", "imports", "undo", head(store)) == 1
    assert "Published here, not there" in capsys.readouterr().err
    who = f"{Settings.base}/id/organisation/alpha"
    assert run(monkeypatch, store, "purge", who, "--reason", "mistake", "--yes") == 1
    assert LEFT in capsys.readouterr().err
    assert run(monkeypatch, store, "push") == 1
    with oxigraph(tmp_path) as endpoint:
        write_settings(Settings(store, remote=endpoint.query, remote_update=endpoint.update))
        assert run(monkeypatch, store, "push") == 0
        asked = {"query": CONCEPTS, "default-graph-uri": union(Settings.base).value}
        answer = httpx.post(endpoint.query, data=asked, headers={"Accept": "text/csv"})
        assert int(answer.text.split()[1]) > 50
        capsys.readouterr()
        assert run(monkeypatch, store, "push") == 0
        assert "0 quad " in capsys.readouterr().err


def test_push_needs_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(Settings(tmp_path))
    assert run(monkeypatch, tmp_path, "push") == 1
