"""Rooms: how many arrows lead from folder to folder of the package, and no more than may be.

An arrow is a pair of sub-folders of one floor, of which the first imports something of the
second. What only annotations need counts too, but for circles: it is not there at run time.
Run by `make check`; prints each floor with its figures, then what is too much, if anything.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1] / "src" / "thc_graph"
ARROWS: Final = {"web": 35, "sheets": 20, "store": 15}  # at most
MODULES: Final = 14  # of a folder, at most
WIDE: Final = frozenset({"cli"})  # one module a verb

Imports = dict[str, set[str]]


def modules(root: Path) -> dict[str, Path]:
    """Return the files of a package by the dotted names of their modules, `__init__` left out."""
    paths = (path for path in root.rglob("*.py") if path.stem != "__init__")
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in paths}


def imports(path: Path, known: dict[str, Path], package: str, *, typing: bool) -> Iterator[str]:
    """Yield what a file imports of its package, with or without what annotations alone need."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if not typing and id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            named = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = [f"{node.module}.{each.name}" for each in node.names]
            named.append(str(node.module))
        else:
            continue
        yield from (
            name
            for each in named
            if each.startswith(f"{package}.")
            and (name := each.removeprefix(f"{package}.")) in known
        )


def graph(root: Path, *, typing: bool) -> Imports:
    known = modules(root)
    return {
        name: set(imports(path, known, root.name, typing=typing)) for name, path in known.items()
    }


def room(module: str) -> str:
    return module.rpartition(".")[0]


def arrows(found: Imports, floor: str) -> set[tuple[str, str]]:
    """Return the pairs of rooms of a floor between which something is imported."""
    pairs = {(room(one), room(other)) for one, others in found.items() for other in others}
    return {
        (one, other)
        for one, other in pairs
        if one != other and one.startswith(f"{floor}.") and other.startswith(f"{floor}.")
    }


def circle(found: Imports) -> list[str]:
    """Return a circle of imports, or nothing."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as fault:
        names: list[str] = fault.args[1]
        return names
    return []


def rooms_of(pairs: set[tuple[str, str]]) -> Imports:
    found: Imports = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
    return found


def faults(root: Path) -> Iterator[str]:
    """Print the figures of each floor, and yield what is more than may be."""
    found = graph(root, typing=True)
    for floor, most in ARROWS.items():
        pairs = arrows(found, floor)
        inside = {room(name) for name in found if room(name).startswith(f"{floor}.")}
        print(f"{floor}: {len(inside)} rooms, {len(pairs)} arrows of {most} at most")
        if len(pairs) > most:
            yield f"{floor} has {len(pairs)} arrows: {sorted(pairs)}"
        if around := circle(rooms_of(pairs)):
            yield f"rooms in a circle: {' → '.join(around)}"
    sizes = Counter(room(name) for name in found if room(name) not in WIDE)
    print(f"modules a folder: {max(sizes.values())} of {MODULES} at most")
    for folder, size in sizes.items():
        if size > MODULES:
            yield f"{folder or root.name} has {size} modules"
    if around := circle(graph(root, typing=False)):
        yield f"modules in a circle: {' → '.join(around)}"


def main() -> None:
    if found := list(faults(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)):
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
