"""Keys: slugs, the same in every import, and other ones for other identifiers."""

from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from thc_graph.cli.import_ import Report, load
from thc_graph.instance.settings import Settings
from thc_graph.names import keys
from thc_graph.names.words import folded
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS, SKOS, THC, A
from thc_graph.schema.validation import accept_unchecked
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.store.writes.repository import Repository

BASE = "https://data.thc.example"
HEAD = "Identifiant;Nature;Nom;Type d'acteur\n"
IDENTIFIERS = st.text(
    st.sampled_from("abzéÉœß019 -_/.'’°&,#?%«\u00a0\u202f\u0301") | st.characters(), max_size=120
)


@given(IDENTIFIERS)
@example("contributions/forum_ouvert.md")
@example("北京")
def test_a_key_is_a_slug(identifier: str) -> None:
    key = keys.key(identifier)
    assert not key or keys.PATTERN.fullmatch(key)
    assert len(key) <= 89
    assert keys.key(key) == key or len(key) > 80


def spelling(identifier: str) -> list[str]:
    """Return what makes an identifier another one: its letters, digits and `/`."""
    return [folded(part).replace(" ", "") for part in identifier.split("/")]


@given(IDENTIFIERS, IDENTIFIERS)
@example("a/b", "a-b")
@example("a/b", "a//b")
@example("long " * 30 + "1", "long " * 30 + "2")
@example("東京", "京都")
def test_other_identifiers_have_other_keys(one: str, other: str) -> None:
    assume(folded(one) and folded(other) and spelling(one) != spelling(other))
    assert keys.key(one) != keys.key(other) or not keys.key(one)


@pytest.mark.parametrize(
    "other", ["Forum_Ouvert", "forum ouvert", "FORUM-OUVERT", "forum  ouvert "]
)
def test_another_spelling_has_the_same_key(other: str) -> None:
    assert keys.key(other) == keys.key("forum-ouvert")
    assert keys.key(f"Contributions/{other}") == keys.key("contributions/forum-ouvert")


def imported(repository: Repository, path: Path, rows: str) -> Report:
    path.write_text(HEAD + rows, encoding="utf-8")
    settings = Settings(store=repository.root)
    return load(inputs(path, source="essais"), repository, settings, "tests", apply=True)


def organisations(repository: Repository) -> dict[str, str]:
    """Return the labels of what the file described, by key."""
    snapshot = repository.current()
    assert snapshot is not None
    found = snapshot.store().quads_for_pattern(None, RDFS["label"], None, DefaultGraph())
    space = f"{BASE}/id/organisation/"
    return {
        q.subject.value.removeprefix(space): q.object.value
        for q in found
        if isinstance(q.subject, NamedNode) and q.subject.value.startswith(space)
    }


ROWS = (
    "contributions/forum_ouvert.md;organisation;Forum;association\n"
    "contributions-forum-ouvert.md;organisation;Autre;association\n"
    "École du Dehors;organisation;École;association\n"
)


def test_an_import_gives_slugs_and_the_same_ones_again(bare: Repository, tmp_path: Path) -> None:
    path = tmp_path / "acteurs.csv"
    first = imported(bare, path, ROWS)
    assert first.commit, [each.as_dict("fr") for each in first.problems]
    found = organisations(bare)
    assert sorted(found.values()) == ["Autre", "Forum", "École"]
    assert all(keys.PATTERN.fullmatch(key) for key in found)
    again = "".join(reversed(ROWS.splitlines(keepends=True)))
    assert not imported(bare, path, again).proposal.change
    exported = "".join(f"{key};organisation;{label};association\n" for key, label in found.items())
    imported(bare, path, exported)
    assert organisations(bare) == found


def test_an_old_store_keeps_its_names(bare: Repository, tmp_path: Path) -> None:
    long = "identifiant tres long " * 6 + "1"
    olds = {"contributions/forum_ouvert.md": "Forum", "identifiant-" + "tres-long-" * 2: "Long"}
    graph = NamedNode(f"{BASE}/graph/essais")
    quads = []
    for key, label in olds.items():
        iri = NamedNode(f"{BASE}/id/organisation/{key.rstrip('-')}")
        quads += [
            Quad(iri, A, THC["Organisation"], graph),
            Quad(iri, RDFS["label"], Literal(label, language="fr"), graph),
        ]
    quads.append(Quad(iri, SKOS["hiddenLabel"], Literal(long), graph))
    change = ChangeSet(added=frozenset(quads))
    with bare.writing() as writer, bare.draft(change) as draft:
        writer.publish(draft, accept_unchecked(change), "essais", "Ancien import")
    before = organisations(bare)
    rows = ROWS.splitlines(keepends=True)[0] + f"{long};organisation;Long;association\n"
    report = imported(bare, tmp_path / "acteurs.csv", rows)
    assert report.exit_code == 0, [each.as_dict("fr") for each in report.problems]
    assert organisations(bare) == before
