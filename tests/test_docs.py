"""The documentation is held to the product: what it names exists, what exists it names."""

import re
from pathlib import Path

import pytest
import typer

from thc_graph.cli.app import app
from thc_graph.settings import resources

ROOT = Path(__file__).parents[1]
COMMANDS = set(typer.main.get_command(app).commands)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_command_is_documented() -> None:
    named = set(
        re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/command-line.md").read_text(), re.MULTILINE)
    )
    assert named >= COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_named_exists(page: Path) -> None:
    named = re.findall(r"(?:bin/|`)thc-graph (?:--store \S+ )?([a-z]+)\b", page.read_text("utf-8"))
    assert set(named) <= COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_named_exists(page: Path) -> None:
    found = re.findall(
        r"`((?:docs|ontology|shapes|queries|data|tests|src)/[\w./-]*)`", page.read_text()
    )
    assert all((ROOT / each).exists() for each in found), found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_named_exists(page: Path) -> None:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text("utf-8")):
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name


def test_resources_are_those_of_the_checkout() -> None:
    assert resources().shapes_folder == ROOT / "shapes"
