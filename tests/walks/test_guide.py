"""Each command of the coordinators' guide is run, in order, and says what the guide shows."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from thc_graph.cli.app import app
from thc_graph.store.publication import Repository

GUIDE = Path(__file__).parents[2] / "docs/guide-coordination.md"
SCREEN = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
ACTIONS = "Réf,Titre de l'engagement,Début\nA1,Planter,2024\n"


def screens() -> list[tuple[str, list[str]]]:
    """Return each command with the lines the guide shows after it."""
    found: list[tuple[str, list[str]]] = []
    for block in SCREEN.findall(GUIDE.read_text("utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ thc-graph "), []))
            elif line:
                found[-1][1].append(line)
    return found


def test_the_guide(demo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("actions.csv").write_text(ACTIONS, "utf-8")
    assert len(screens()) >= 6
    for command, expected in screens():
        words, _, output = command.partition(" > ")
        result = CliRunner().invoke(app, ["--store", str(demo.root), *shlex.split(words)])
        assert result.exit_code == 0, (command, result.output)
        if output:
            Path(output).write_text(result.stdout, "utf-8")
        for line in expected:
            assert line in result.output, command
