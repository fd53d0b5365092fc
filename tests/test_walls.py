"""Each wall between rooms holds: a breach planted in a copy of the modules is caught."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINTER = Path(sys.executable).with_name("lint-imports")
BREACHES = (  # the wall, by the beginning of its name; the room; what a module there would import
    ("Floors", "store", "thc_graph.search.index"),
    ("Floors", "names", "thc_graph.sheets.problems"),
    ("Floors", "figures", "thc_graph.search.index"),
    ("Floors", "entities", "thc_graph.lists.kinds"),
    ("Floors", "sheets/cells", "thc_graph.instance.settings"),
    ("Floors", "instance", "thc_graph.web.http.problems"),
    ("Floors", "processes", "thc_graph.store.files"),
    ("The rooms of web", "web/http", "thc_graph.web.pages.home"),
    ("The rooms of web", "web/files", "thc_graph.web.pages.agenda"),
    ("The rooms of sheets", "sheets/cells", "thc_graph.sheets.imports.rows"),
    ("The rooms of store", "store/snapshots", "thc_graph.store.history.commits"),
    ("The rooms of store", "store/engine", "thc_graph.store.snapshots.snapshot"),
    ("rdflib", "schema", "rdflib"),
    ("rdflib", "web/sparql", "pyshacl"),
    ("tantivy", "figures", "tantivy"),
    ("HTTP outwards", "people", "httpx"),
    ("HTTP outwards", "web/pages", "requests"),
    ("What reads", "people", "openpyxl"),
    ("What reads", "sheets/imports", "python_calamine"),
    ("What reads", "web/files", "xlsxwriter"),
    ("What reads", "cli", "odf"),
    ("The web's", "instance", "starlette"),
    ("The web's", "cli", "fastapi"),
    ("The web's", "web/pages", "jinja2"),
    ("The web's", "store", "uvicorn"),
    ("typer", "instance", "typer"),
)


def planted(number: int, room: str) -> str:
    return f"{room.replace('/', '.')}.planted_{number}"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of each wall, all breaches planted at once: each in its own module."""
    copy = tmp_path_factory.mktemp("walls")
    shutil.copy(ROOT / "pyproject.toml", copy)
    skipped = shutil.ignore_patterns("static", "templates", "__pycache__")
    shutil.copytree(ROOT / "src/thc_graph", copy / "thc_graph", ignore=skipped)
    for number, (_, room, imported) in enumerate(BREACHES):
        path = copy / "thc_graph" / room / f"planted_{number}.py"
        path.write_text(f"import {imported}\n", "utf-8")
    done = subprocess.run(
        [LINTER, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    broken = done.stdout.rpartition("Broken contracts")[2]
    begun = {name: place for name in names() if (place := broken.find(f"{name}\n")) >= 0}
    ends = sorted([*begun.values(), len(broken)])
    return {name: broken[at : ends[ends.index(at) + 1]] for name, at in begun.items()}


def names() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [each["name"] for each in settings["tool"]["importlinter"]["contracts"]]


@pytest.mark.parametrize("number", range(len(BREACHES)))
def test_a_breach_is_caught(number: int, reports: dict[str, str]) -> None:
    wall, room, _ = BREACHES[number]
    report = "".join(text for name, text in reports.items() if name.startswith(wall))
    assert f"thc_graph.{planted(number, room)} ->" in report


def test_each_wall_has_its_breach() -> None:
    walls = {wall for wall, _, _ in BREACHES}
    assert all(any(name.startswith(wall) for wall in walls) for name in names())
