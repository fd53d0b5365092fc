"""Rooms are counted as they are, and too many doors between them are refused."""

from pathlib import Path

import pytest

import rooms

MODULES = {
    "web/http/routing.py": "from thc_graph.errors import Fault\n",
    "web/pages/home.py": "from thc_graph.web.http import routing\nimport thc_graph.errors\n",
    "web/app.py": "from thc_graph.web.pages.home import page\n",
    "errors.py": "",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return build(tmp_path / "thc_graph", MODULES)


def build(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, "utf-8")
    return root


def test_an_arrow_is_a_pair_of_rooms(house: Path) -> None:
    assert rooms.arrows(rooms.graph(house, typing=True), "web") == {("web.pages", "web.http")}
    assert list(rooms.faults(house)) == []


BACK = "from thc_graph.web.pages import home\n"
GUARDED = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {BACK}"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"web/http/visit.py": BACK}, ["rooms in a circle"]),
        ({"web/pages/lists.py": "import thc_graph.web.pages.rows\n"}, []),
        (
            {
                "web/pages/lists.py": "import thc_graph.web.pages.rows\n",
                "web/pages/rows.py": "from thc_graph.web.pages import lists\n",
            },
            ["modules in a circle"],
        ),
        (
            {
                "web/pages/home.py": "",
                "web/pages/lists.py": GUARDED,
            },
            [],
        ),
        ({f"web/http/m{number}.py": "" for number in range(14)}, ["web.http has 15 modules"]),
        ({f"cli/m{number}.py": "" for number in range(15)}, []),
        (
            {f"store/a{n}/m.py": f"import thc_graph.store.b{n}.m\n" for n in range(16)}
            | {f"store/b{n}/m.py": "" for n in range(16)},
            ["store has 16 arrows"],
        ),
    ],
)
def test_what_is_too_much_is_told(more: dict[str, str], told: list[str], house: Path) -> None:
    found = list(rooms.faults(build(house, more)))
    assert [one.startswith(other) for one, other in zip(found, told, strict=True)] == [True] * len(
        told
    )
