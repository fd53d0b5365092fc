"""The command line as a person uses it: arguments in; exit code, stdout and stderr out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import stores
from thc_graph.cli import main
from thc_graph.instance.settings import read_settings, write_settings
from thc_graph.store.writes.repository import Repository

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def command(store: Path, *words: object) -> tuple[int, str, str]:
        argv = ["thc-graph", "--store", str(store), *map(str, words)]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


@pytest.fixture(scope="module")
def store(demo: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stores.copied(demo, tmp_path_factory.mktemp("cli")).root


@pytest.fixture
def bare(vocabulary: Repository, tmp_path: Path) -> Path:
    """A store with the vocabulary alone, and a publisher."""
    store = stores.copied(vocabulary, tmp_path).root
    write_settings(replace(read_settings(store), publisher="Essai"))
    return store
