"""No expression of the web process goes back over a stranger's text: it is read in one pass.

Every expression of every module that the web process loads is found in its source, tried by
the methods it is used with, on texts made from its own parts, and timed at two lengths.
"""

import ast
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from re import _parser as parser
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "src"
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
SHORT, LONG = 1_500, 6_000  # characters
FEW = 20  # characters: what doubles with each takes a second
LINEAR = 8.0  # times longer for a text four times as long; what is quadratic takes sixteen
NOISE = 0.004  # seconds

# What these modules read is no stranger's, or is read in a process with a deadline.
ELSEWHERE = {
    "thc_graph.sheets": "files are read in children; what writes them is tried",
    "thc_graph.store.library": "our own files",
    "thc_graph.web.rendering.assets": "our own style sheets",
    "thc_graph.store.engine.query_child": "in the query's own process, or the engine's own words",
    "thc_graph.store.engine.results": "in the query's own process, or the engine's own words",
    "thc_graph.store.writes.update_child": "in the write's own process",
    "thc_graph.store.writes.updates": "in the write's own process",
    "thc_graph.store.history.purge": "an operator's command",
    "thc_graph.schema.conformance": "patterns of the shapes, at a publication",
    "thc_graph.schema.reading": "our own files",
}
TRIED = ("thc_graph.sheets.tables.writing",)


@dataclass(frozen=True)
class Expression:
    module: str
    text: str
    flags: int
    method: str


def loaded() -> list[str]:
    """Return the modules of ours that a web process has loaded."""
    code = (
        "import sys, thc_graph.web.app, thc_graph.web.editors_app, thc_graph.web.serving.server;"
        "print(*(n for n in sys.modules if n.startswith('thc_graph')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


def expressions(module: str) -> Iterator[Expression]:
    """Yield what a module compiles, with the methods it calls; a text made at run time fails."""
    path = SOURCE / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    if not any(isinstance(node, ast.Import) and node.names[0].name == "re" for node in tree.body):
        return
    space = vars(__import__(module, fromlist=["_"]))
    for name, value in space.items():
        for pattern in patterns(value):
            for method in used(tree, name) or {"search"}:
                yield Expression(module, pattern.pattern, pattern.flags, method)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = call.func
        is_ours = isinstance(function, ast.Attribute) and function.attr in METHODS
        if is_ours and isinstance(function.value, ast.Name) and function.value.id == "re":
            assert isinstance(call.args[0], ast.Constant), (module, call.lineno)
            yield Expression(module, call.args[0].value, 0, function.attr)


def patterns(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, dict):
        yield from (each for each in value.values() if isinstance(each, re.Pattern))
    elif isinstance(value, tuple):
        yield from (each for each in value if isinstance(each, re.Pattern))


def used(tree: ast.Module, name: str) -> set[str]:
    """Return the methods that are called on a name, or on what it holds."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            value = node.value.value if isinstance(node.value, ast.Subscript) else node.value
            if isinstance(value, ast.Name) and value.id == name:
                found.add(node.attr)
    return found


def texts(expression: Expression) -> list[str]:
    """Return what an attacker would repeat: what its parts match, alone and in twos."""
    parsed = parser.parse(expression.text, expression.flags & ~re.UNICODE)
    parts = {text for text in pieces(parsed) if text} | {" ", "a", "\n"}
    return list(islice(dict.fromkeys([*sorted(parts), *map("".join, product(parts, parts))]), 150))


def around(expression: Expression) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what to repeat, and what to put before and behind it: a beginning, and no good end."""
    yield from product(texts(expression), (("", ""), ("", "\0"), ("a", "\0a")))
    parsed = parser.parse(expression.text, expression.flags & ~re.UNICODE)
    heads = {sample(parsed[:place]) for place in range(1, len(parsed))}
    tails = ("\0", '/\n"\0' + sample(parsed[-1:]))
    single = {text for text in pieces(parsed) if len(text) == 1} | {" ", "a", ":"}
    yield from product(sorted(single), product(sorted(heads), tails))


def pieces(parsed: Any) -> Iterator[str]:
    """Yield one text that matches each part of an expression, small parts first."""
    for operation, given in parsed:
        yield sample([(operation, given)])
        for inner in given if isinstance(given, tuple | list) else ():
            if isinstance(inner, parser.SubPattern):
                yield from pieces(inner)
            elif isinstance(inner, list):
                for each in inner:
                    if isinstance(each, parser.SubPattern):
                        yield from pieces(each)
    yield sample(parsed)


def sample(parsed: Any) -> str:
    return "".join(map(written, parsed))


def written(step: tuple[Any, Any]) -> str:  # noqa: PLR0911  one line a kind of part
    operation, given = step[0], step[1]
    match str(operation):
        case "LITERAL":
            return chr(given)
        case "NOT_LITERAL":
            return "b" if given != ord("b") else "c"
        case "ANY":
            return "x"
        case "IN":
            return member(given)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return sample(given[2]) * max(1, given[0])
        case "SUBPATTERN":
            return sample(given[3])
        case "ATOMIC_GROUP":
            return sample(given)
        case "BRANCH":
            return sample(given[1][0])
        case "CATEGORY":
            return CATEGORIES.get(str(given), "a")
    return ""


CATEGORIES = {"CATEGORY_SPACE": " ", "CATEGORY_DIGIT": "7", "CATEGORY_NOT_WORD": "-"}


def member(given: list[tuple[Any, Any]]) -> str:
    if str(given[0][0]) == "NEGATE":
        return next(each for each in "b7 -<\"'\n" if not belongs(each, given[1:]))
    operation, value = given[0]
    return chr(value[0]) if str(operation) == "RANGE" else written((operation, value))


def belongs(character: str, given: list[tuple[Any, Any]]) -> bool:
    for operation, value in given:
        match str(operation):
            case "LITERAL" if ord(character) == value:
                return True
            case "RANGE" if value[0] <= ord(character) <= value[1]:
                return True
            case "CATEGORY" if CATEGORIES.get(str(value), "a") == character:
                return True
    return False


def seconds(expression: Expression, text: str) -> float:
    pattern = re.compile(expression.text, expression.flags)
    work = getattr(pattern, expression.method)
    found = []
    for _ in range(2):
        start = time.process_time()
        result = work("", text) if expression.method.startswith("sub") else work(text)
        for _ in result if expression.method == "finditer" else ():
            pass
        found.append(time.process_time() - start)
    return min(found)


def slow(expression: Expression) -> Iterator[str]:
    """Yield the texts on which an expression takes more than its share."""
    for part, (head, tail) in around(expression):
        if seconds(expression, head + part * (FEW // len(part) + 1) + tail) > NOISE:
            yield f"{part} a few times"
            return  # more would never end
        short, long = (head + part * (n // len(part)) + tail for n in (SHORT, LONG))
        if seconds(expression, long) > NOISE and (
            seconds(expression, long) > LINEAR * seconds(expression, short) + NOISE
        ):
            yield f"{head}{part}…{tail}"


def tried() -> list[Expression]:
    modules = [
        name
        for name in loaded()
        if name in TRIED or not any(f"{name}.".startswith(f"{each}.") for each in ELSEWHERE)
    ]
    return list(dict.fromkeys(each for name in modules for each in expressions(name)))


@pytest.mark.parametrize(
    "expression", tried(), ids=lambda e: f"{e.module}-{e.method}-{e.text[:20]!r}"
)
def test_time_grows_with_the_length(expression: Expression) -> None:
    assert list(slow(expression)) == []


@pytest.mark.parametrize(
    ("text", "method", "is_slow"),
    [
        (r"\s*([^\s;,]+)\s*((?:;[^,]*)?)", "findall", True),  # the one that stopped everybody
        (r"(a+)+b", "match", True),
        (r"(?:a|a)*b", "match", True),
        (r"\s+$", "search", True),
        (r"\).*SERVICE.*#", "search", True),
        (r"<[^/?#]*//[^/?#]*[:\]][^/?#]*>", "fullmatch", True),
        (r"\bPREFIX\s+([\w-]*)\s*:", "findall", True),
        (r"[a-z]+", "findall", False),
        (r"\s++x", "match", False),
        (r"(?<!\s)\s++$", "search", False),
    ],
)
def test_the_test_sees_what_is_slow(text: str, method: str, *, is_slow: bool) -> None:
    assert any(slow(Expression("", text, 0, method))) is is_slow
