"""The documentation is held to the product: what it names exists, what exists it names."""

import doctest
import importlib
import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from thc_graph.cli.app import app
from thc_graph.instance.settings import Settings, resources

ROOT = Path(__file__).parents[1]
COMMANDS = set(typer.main.get_command(app).commands)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROMISES = re.findall(
    r"^\| ([^|]+) \|\s*([^|]*?)\s*\|\s*([^|]*?)\s*\| (`tests/[^|]+`) \|$",
    (ROOT / "docs/promises.md").read_text("utf-8"),
    re.MULTILINE,
)
UNITS = {"": 1, "s": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


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


@pytest.mark.parametrize(("promise", "default", "setting", "named"), PROMISES)
def test_a_promise_has_its_default_and_its_test(
    promise: str, default: str, setting: str, named: str
) -> None:
    for path, test in re.findall(r"`([\w/.]+)::(\w+)`", named):
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    if setting:
        value = getattr(Settings, setting.strip("`"))
        number, _, unit = default.partition(" ")
        assert default == "loopback" or float(number) * UNITS[unit] == value, promise


def test_every_line_of_the_promises_has_a_test() -> None:
    rows = re.findall(r"^\| (?!Promise)", (ROOT / "docs/promises.md").read_text(), re.MULTILINE)
    assert len(PROMISES) == len(rows) > 30


def test_every_limit_of_a_client_is_promised() -> None:
    promised = {setting.strip("`") for _, _, setting, _ in PROMISES}
    limits = {each.name for each in fields(Settings) if re.search("_size$|^client_", each.name)}
    assert limits - {"update_size"} <= promised  # an editor's


def exemplified() -> list[str]:
    """Return the modules whose docstrings hold examples."""
    source = ROOT / "src"
    found = (p for p in source.rglob("*.py") if ">>> " in p.read_text("utf-8"))
    return sorted(".".join(p.relative_to(source).with_suffix("").parts) for p in found)


@pytest.mark.parametrize("name", exemplified())
def test_the_examples_of_docstrings_hold(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted
    assert not outcome.failed
