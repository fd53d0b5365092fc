"""The command line as a person uses it: arguments in; exit code, stdout and stderr out."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from thc_graph.cli import main
from thc_graph.cli.app import repository
from thc_graph.cli.init import publish_vocabulary
from thc_graph.settings import Settings, write_settings
from thc_graph.store.publication import Repository

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
    root = tmp_path_factory.mktemp("cli") / "store"
    shutil.copytree(demo.root, root)
    return root


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(store=tmp_path_factory.mktemp("bare") / "store", publisher="Essai")
    write_settings(settings)
    publish_vocabulary(repository(settings), settings.base)
    return settings.store


@pytest.fixture
def bare(vocabulary: Path, tmp_path: Path) -> Path:
    """A store with the vocabulary alone."""
    return Path(shutil.copytree(vocabulary, tmp_path / "store"))
