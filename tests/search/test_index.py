"""What people type, and what they mean by it; a small publication changes what is found."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf import iris
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS, THC, A, in_graph
from thc_graph.schema.validation import Accepted, accept
from thc_graph.search import places, questions, words
from thc_graph.search.context import CUT, LONGEST, Piece, context
from thc_graph.search.index import Index, folder_name, open_index
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes.repository import Repository

BASE = "https://data.thc.example"


@pytest.fixture(scope="module")
def index(demo: Repository) -> Index:
    snapshot = demo.current()
    assert snapshot is not None
    return open_index(snapshot, demo.schema)


def first(index: Index, text: str, kind: str = "") -> str:
    found = questions.ask(index, text, "fr", kind)
    return found.groups[0].hits[0].place.iri.removeprefix(f"{BASE}/id/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mulhouse", "commune/68224"),
        ("MULHOUSE", "commune/68224"),
        ("mulhuse", "commune/68224"),
        ("paris", "commune/75056"),
        ("saint martin d heres", "commune/38421"),
        ("Grand Est", "region/44"),
        ("budgets participatifs de paris", "experience/budget-participatif-de-paris"),
    ],
)
def test_what_was_meant_comes_first(index: Index, text: str, expected: str) -> None:
    assert first(index, text) == expected


@pytest.mark.parametrize(
    ("text", "instead"),
    [("mulhuse", "mulhouse"), ("bugdet participatf", "budget participatif"), ("Mulhouse", "")],
)
def test_a_fault_of_typing_is_mended(index: Index, text: str, instead: str) -> None:
    assert questions.ask(index, text, "fr").instead == instead


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("68224", "commune/68224"),
        ("216802249", "collectivite/216802249"),
        ("216 802 249", "collectivite/216802249"),
        (f"{BASE}/id/commune/68224", "commune/68224"),
        ("68100", None),  # a postcode, and the INSEE code of another commune
        ("Mulhouse", None),
        ("", None),
        ("http://nowhere.example/", None),
    ],
)
def test_codes_and_iris_go_straight(index: Index, typed: str, expected: str | None) -> None:
    found = questions.jump(index, typed, "fr")
    assert (found.iri.removeprefix(f"{BASE}/id/") if found else None) == expected


@pytest.mark.parametrize("text", ["68100", "j'habite 68100", "J’habite à Mulhouse", "I live 68100"])
def test_where_one_lives_and_what_contains_it(index: Index, text: str) -> None:
    home, *_ = places.homes(index, text, "fr")
    assert home.commune.iri.endswith("/commune/68224")
    kinds = [level.place.kinds[0] for level in home.levels]
    assert kinds == ["commune", "epci", "departement", "region"]
    assert home.levels[0].total  # its adhesion


def test_the_nearest_places_that_have_something_come_in_order(index: Index) -> None:
    near = places.nearest(index, (44.70, 5.08), "fr")  # between Crest and Saillans
    assert near[0].place.iri.endswith("/commune/26289")
    assert [each.kilometres for each in near] == sorted(each.kilometres for each in near)
    assert all(each.total for each in near)


@pytest.mark.parametrize("text", ["", " ", "?!", "a" * 5000, "\0", "zzzzqqq", "(", "*", "le la"])
def test_any_text_is_a_question(index: Index, text: str) -> None:
    assert questions.ask(index, text, "fr").total >= 0
    assert questions.suggest(index, text, "fr") is not None
    assert places.homes(index, text, "fr") == ()


def test_a_match_in_a_text_is_marked_in_its_context(index: Index) -> None:
    found = questions.ask(index, "transparence", "fr")
    pieces = [piece for group in found.groups for hit in group.hits for piece in hit.context]
    marked = {words.key(piece.text) for piece in pieces if piece.matched}
    assert marked
    assert all(each.startswith("transparen") for each in marked)


def test_a_match_is_shown_in_its_sentence(index: Index) -> None:
    found = questions.ask(index, "habitants printemps", "fr", "plan")
    (shown,) = {"".join(each.text for each in hit.context) for hit in found.groups[0].hits}
    assert shown == (
        "Quatorze engagements de transparence, de participation et de collaboration, "
        "écrits avec les habitants au printemps 2024."
    )


CONTEXTS = [
    ("Un nom · Deux mots ici. Et la suite ! Fin", ["mots"], "Deux [mots] ici."),
    ("« Où ? » Les élus répondent. Où donc ?", ["élus"], "Les [élus] répondent."),
    ("L’art. 3 du code\nUne autre ligne", ["code"], "L’art. 3 du [code]"),
    ("Un budget. Un budget citoyen.", ["budget", "citoyen"], "Un [budget] [citoyen]."),
]


def marked(text: str, found: list[str]) -> list[tuple[int, int]]:
    spans = (each.span() for word in found for each in re.finditer(re.escape(word), text))
    return [(len(text[:a].encode()), len(text[:b].encode())) for a, b in spans]


def brackets(pieces: tuple[Piece, ...]) -> str:
    return "".join(f"[{each.text}]" if each.matched else each.text for each in pieces)


@pytest.mark.parametrize(("text", "found", "shown"), CONTEXTS)
def test_the_context_is_the_sentence(text: str, found: list[str], shown: str) -> None:
    assert brackets(context(text, marked(text, found))) == shown


def test_a_long_sentence_is_cut_between_words_around_what_is_found() -> None:
    text = "mot " * 100 + "trouvé" + " mot" * 100
    shown = brackets(context(text, marked(text, ["trouvé"])))
    assert re.fullmatch(r"…(mot )+\[trouvé\]( mot)+…", shown)
    assert len(shown) <= LONGEST + len("……[]")


SAID = st.sampled_from(["été", "Budget", "a.", "·", "\n", "où ?", "𝕏", "x" * 200])


@given(st.lists(SAID, min_size=1), st.integers(0, 30))
def test_a_context_is_a_part_of_the_text_with_all_its_marks(said: list[str], number: int) -> None:
    text, word = " ".join(said), said[number % len(said)]
    marks = marked(text, [word]) if word.isalpha() else []
    pieces = context(text, marks)
    whole = "".join(each.text for each in pieces)
    assert whole.removeprefix(CUT).removesuffix(CUT) in text
    assert any(each.matched for each in pieces) == bool(marks)
    assert all(each.text == word for each in pieces if each.matched)


def test_a_publication_reindexes_what_it_touches_only(demo: Repository, tmp_path: Path) -> None:
    root = tmp_path / "store"
    shutil.copytree(demo.root, root)
    copy = Repository(root, demo.schema, demo.derivation, demo.artefacts)
    before = copy.current()
    entity, graph = NamedNode(f"{BASE}/id/experience/essai"), iris.graph(BASE, "essai")
    facts = [
        Triple(entity, A, THC["Experience"]),
        Triple(entity, RDFS["label"], Literal("Zébulon citoyen", language="fr")),
        Triple(entity, THC["territoire"], NamedNode(f"{BASE}/id/commune/68224")),
    ]
    change = ChangeSet(added=frozenset(in_graph(each, graph) for each in facts))
    publish(copy, change)
    after = copy.current()
    assert before
    assert after
    assert total(after, copy) == total(before, copy) + 1
    assert first(open_index(after, copy.schema), "zebulon") == "experience/essai"
    assert places.homes(open_index(after, copy.schema), "68100", "fr")[0].levels[0].total == 2
    assert shares_files(before, after, folder_name(copy.schema))
    publish(copy, ChangeSet(removed=change.added))
    emptied = copy.current()
    assert emptied
    assert total(emptied, copy) == total(before, copy)


def publish(repository: Repository, change: ChangeSet) -> None:
    with repository.writing() as writer, repository.draft(change) as draft:
        accepted = accept(change, [])
        assert isinstance(accepted, Accepted)
        writer.publish(draft, accepted, "tests", "essai")


def total(snapshot: Snapshot, repository: Repository) -> int:
    return int(open_index(snapshot, repository.schema).searcher.num_docs)


def shares_files(one: Snapshot, other: Snapshot, name: str) -> bool:
    inodes = [
        {path.stat().st_ino for path in (each.path / name).iterdir()} for each in (one, other)
    ]
    return bool(inodes[0] & inodes[1])


def test_an_index_of_an_older_store_is_built_on_opening(demo: Repository, tmp_path: Path) -> None:
    root = tmp_path / "store"
    shutil.copytree(demo.root, root)
    snapshot = Repository(root, demo.schema, demo.derivation).current()
    assert snapshot
    known = total(snapshot, demo)
    shutil.rmtree(snapshot.path / folder_name(demo.schema))
    assert total(snapshot, demo) == known
    assert (snapshot.path / folder_name(demo.schema)).is_dir()


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("ecole", "Des écoles", True),
        ("ecoles", "Une école", True),
        ("ecoles", "Une écolerie", False),
        ("cole", "Des écoles", False),
        ("oeuvre", "L’œuvre", True),
        ("a", "(à)", True),
        ("c", "C++", True),
    ],
)
def test_how_a_word_is_found_in_a_text(word: str, text: str, *, found: bool) -> None:
    pattern = words.begins(word).replace(r"\p{Alphabetic}\p{N}", r"\w")
    assert bool(re.search(pattern, text, re.IGNORECASE)) is found


@given(st.text())
def test_words_are_bounded_and_folded(text: str) -> None:
    found = words.words(text)
    assert len(found) <= words.MAX_WORDS
    assert all(words.words(word)[:1] == [word] for word in found)
