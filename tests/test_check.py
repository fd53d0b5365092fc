"""`make check` is not green by mistake: each of its tools refuses what it is there to refuse."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
REFUSED = {  # by each command of `make check`, as the end of a module on the lowest floor
    "ruff format --check": "BAD = ( 1 )\n",
    "ruff check": "import os\n",
    "mypy": "def bad(x): return x\n",
    "lint-imports": "from thc_graph.store import files\n",
    "vulture": "def nobody_asks() -> None: ...\n",
    "python scripts/rooms.py": "from thc_graph.schema import reading\n",
}
GIVEN = {"lint-imports": ["--no-cache"], "vulture": ["."], "python": ["thc_graph"]}
REFUSES = {1, 3}  # what a tool ends with then


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the modules, with the settings of the tools."""
    copy = tmp_path_factory.mktemp("check")
    shutil.copy(ROOT / "pyproject.toml", copy)
    skipped = shutil.ignore_patterns("static", "templates", "__pycache__")
    shutil.copytree(ROOT / "src/thc_graph", copy / "thc_graph", ignore=skipped)
    shutil.copytree(ROOT / "scripts", copy / "scripts", ignore=skipped)
    return copy


def outcome(command: str, tree: Path, text: str) -> tuple[int, str]:
    """Run a tool on the errors' module with some more text."""
    module = tree / "thc_graph/errors.py"
    whole = module.read_text("utf-8")
    module.write_text(f"{whole}\n\n{text}" if text else whole, "utf-8")
    name, *options = command.split()
    argv = [str(BIN / name), *options, *GIVEN.get(name, [str(module)])]
    done = subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=False)
    module.write_text(whole, "utf-8")
    return done.returncode, done.stdout


@pytest.mark.parametrize("command", REFUSED)
def test_a_tool_refuses_what_is_bad_and_nothing_else(command: str, tree: Path) -> None:
    assert outcome(command, tree, "")[0] == 0
    assert outcome(command, tree, REFUSED[command])[0] in REFUSES


def test_these_are_the_tools_of_make_check() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    commands = [line.partition("$(BIN)/")[2] for line in recipe.splitlines()[1:]]
    assert [each.partition(" src")[0] for each in commands] == list(REFUSED)
