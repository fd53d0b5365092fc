from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Store

from thc_graph.instance.settings import resources
from thc_graph.schema.shapes import Text
from thc_graph.store.library import Library

TEXT = """#+ summary: Things of a kind.
#+ used by: tests
#+ slot kind: a class
SELECT ?thing WHERE {
  VALUES ?kind { UNDEF }
  ?thing a ?kind .
  { values ?other {undef} }
}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "things.rq").write_text(TEXT, "utf-8")
    return Library(tmp_path)


def test_a_header_tells_summary_and_slots(library: Library) -> None:
    query = library.get("list/things")
    assert query.summary == Text(fr="Things of a kind.", en="Things of a kind.")
    assert query.slots == {"kind": "a class", "other": ""}


def test_names_are_those_of_one_folder(library: Library) -> None:
    assert library.names("list") == ("list/things",)
    assert library.names() == ()


def test_an_unfilled_query_is_the_file(library: Library) -> None:
    assert library.fill("list/things") == TEXT


def test_one_term_or_several_fill_a_slot(library: Library) -> None:
    a, b = NamedNode("urn:a"), Literal('"} #', language="fr")
    assert "VALUES ?kind { <urn:a> }" in library.fill("list/things", kind=a)
    filled = library.fill("list/things", kind=[a, b])
    assert r'VALUES ?kind { <urn:a> "\"} #"@fr }' in filled
    assert "values ?other {undef}" in filled


def test_lines_are_written_once_for_each_value(tmp_path: Path) -> None:
    text = """SELECT ?a WHERE {
  ?a ?b ?text .
  #* word
  FILTER CONTAINS(?text, $word)
  #*
}
"""
    (tmp_path / "words.rq").write_text(text, "utf-8")
    library = Library(tmp_path)
    assert set(library.get("words").slots) == {"word"}
    assert library.fill("words") == text
    assert "FILTER" not in library.fill("words", word=[])
    words = [Literal("VALUES ?b { UNDEF } $word"), Literal('"\n#*\n')]
    filled = library.fill("words", word=words)
    assert [line.strip() for line in filled.splitlines()[2:-1]] == [
        f"FILTER CONTAINS(?text, {each})" for each in words
    ]


def test_an_empty_slot_has_no_solution(library: Library) -> None:
    assert "VALUES ?kind {  }" in library.fill("list/things", kind=[])


@pytest.mark.parametrize(
    "name", ["list/none", "../queries/list/things", "list", "list/\0", f"list/{'a' * 3000}"]
)
def test_an_unknown_query_is_refused(library: Library, name: str) -> None:
    with pytest.raises(KeyError):
        library.get(name)


def test_an_unknown_slot_is_refused(library: Library) -> None:
    with pytest.raises(KeyError, match="nothing"):
        library.fill("list/things", nothing=NamedNode("urn:a"))


@pytest.mark.parametrize("value", [BlankNode(), "text } UNION {"])
def test_only_terms_fill_a_slot(library: Library, value: Any) -> None:
    with pytest.raises(TypeError):
        library.fill("list/things", kind=[value])


def test_text_never_becomes_syntax(library: Library) -> None:
    trap = Literal('x" } ?thing ?p ?o . { \\')
    store = Store()
    solutions: Any = store.query(library.fill("list/things", other=trap))
    assert list(solutions) == []


def our_queries() -> list[str]:
    folder = resources().queries_folder
    found = (path.relative_to(folder) for path in folder.rglob("*.rq"))
    return sorted(path.with_suffix("").as_posix() for path in found)


@pytest.mark.parametrize("name", our_queries())
def test_each_of_our_queries_runs_as_it_stands(name: str) -> None:
    query = Library(resources().queries_folder).get(name)
    assert query.summary.fr
    assert query.summary.en
    assert all(query.slots.values()), "each slot is explained in the header"
    Store().query(query.text)
