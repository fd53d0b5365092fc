"""Each command of the coordinators' guide is run, in order, and says what the guide shows."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import stores
from thc_graph.cli.app import app
from thc_graph.store.snapshots import snapshot
from thc_graph.store.writes.repository import Repository

GUIDE = Path(__file__).parents[2] / "docs/guide-coordination.md"
SCREEN = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMIT = re.compile(r"\b[0-9a-f]{8}\b")
TIME = re.compile(r"\d{8}T\d+|\d{4}-\d\d-\d\dT[\d:+]+")
ACTORS = """\
Nom,Nature,Type d'acteur,Territoires d'action,Site web
Les Ateliers du Lac,organisation,association,Mulouse,www.exemple.fr
Paroles de quartier,organisation,association,Colmar,https://exemple.org
"""
FILES = {
    "actions.csv": "Réf,Titre de l'engagement,Début\nA1,Planter,2024\n",
    "acteurs.csv": ACTORS,
    "corrige.csv": ACTORS.replace("Mulouse", "Mulhouse").replace("www", "https://www"),
}


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
    stores.copied(demo, tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, "utf-8")
    assert len(screens()) >= 12
    for screen, expected in screens():
        command = COMMIT.sub(str(snapshot.current(Path("store")).commit[:8]), screen)
        words, _, output = command.partition(" > ")
        result = CliRunner().invoke(app, ["--store", "store", *shlex.split(words)])
        refused = any(line.startswith("  ✖") for line in expected)
        assert result.exit_code == (3 if refused else 0), (command, result.output)
        if output:
            Path(output).write_text(result.stdout, "utf-8")
        said = general(result.output)
        for line in expected:
            assert general(line) in said, command


def general(text: str) -> str:
    """Return a screen with what differs at each run, commits and times, left open."""
    return TIME.sub("…", COMMIT.sub("…", text))
