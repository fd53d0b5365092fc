"""Publishing pushes to the remote engine; `push` finishes what could not be."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from engines import free_port, oxigraph, virtuoso
from thc_graph.cli import main
from thc_graph.instance.settings import Settings, write_settings
from thc_graph.store.writes.mirror import union

DOCS = Path(__file__).parents[2] / "docs" / "remote-engines.md"
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


@pytest.mark.all
@pytest.mark.skipif(shutil.which("isql-vt") is None, reason="Virtuoso's isql is not installed")
def test_push_with_the_grants_of_the_docs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"USER": "thc_read", "PASSWORD": "another-secret", "AUTH": "digest"}.items():
        monkeypatch.setenv(f"THC_REMOTE_{name}", value)
    for name, value in {"USER": "thc_push", "PASSWORD": "a-secret", "AUTH": "digest"}.items():
        monkeypatch.setenv(f"THC_REMOTE_UPDATE_{name}", value)
    store = tmp_path / "store"
    with virtuoso(tmp_path) as endpoint:
        address = endpoint.update
        write_settings(Settings(store, remote=address, remote_update=address))
        assert run(monkeypatch, store, "init", "--bare") == 1
        assert run(monkeypatch, store, "push") == 1
        told = re.search(
            r"^ServerPort = (127.0.0.1:\d+)", (tmp_path / "virtuoso.ini").read_text(), re.MULTILINE
        )
        assert told
        (grants,) = re.findall(r"```sql\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
        program = ["isql-vt", told[1], "dba", "dba", f"EXEC={grants}"]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        assert "Error" not in done.stdout + done.stderr
        assert run(monkeypatch, store, "push") == 0
        asked = {"query": CONCEPTS, "default-graph-uri": union(Settings.base).value}
        table = {"Accept": "text/csv"}
        auth = httpx.DigestAuth("thc_read", "another-secret")
        answer = httpx.post(address, data=asked, headers=table, auth=auth)
        assert int(answer.text.split()[1]) > 50
        stranger = httpx.post(endpoint.query, data=asked, headers=table)
        assert stranger.text.split()[1:] in ([], ["0"])
        capsys.readouterr()
        assert run(monkeypatch, store, "push") == 0
        assert "0 quad " in capsys.readouterr().err


def test_push_needs_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(Settings(tmp_path))
    assert run(monkeypatch, tmp_path, "push") == 1
