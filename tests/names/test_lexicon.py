"""The names kept beside a snapshot are those that reading the whole store would give."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from thc_graph.instance.settings import Settings, resources
from thc_graph.names.lexicon import FOLDER, Lexicon, NameFile, of_snapshot, of_store
from thc_graph.rdf.terms import RDFS, THC, A
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.sheets.imports.load import Options, load
from thc_graph.sheets.imports.proposal import Complete
from thc_graph.store import segments
from thc_graph.store.library import Library
from thc_graph.store.snapshots.draft import Draft
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes.repository import Repository

HEAD = "Identifiant;Nature;Nom;Type d'acteur\n"
STATES = {
    "two actors": "a;organisation;Aide;association\nb;organisation;Bêta;association\n",
    "one under another name": "a;organisation;Secours;association\n",
    "one gone": "a;organisation;Secours;association\n",
    "one of another kind": "b;organisation;Aide;entreprise\n",
}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(resources().queries_folder)


def content(lexicon: Lexicon) -> set[tuple[str, ...]]:
    """Return all there is, as lookups give it."""
    everything = frozenset[NamedNode]()
    words = {(iri.value, word) for word, iri in lexicon.words(everything)}
    for iri, word in words:
        assert NamedNode(iri) in lexicon.called(word)
    things = ((iri, lexicon.thing(iri)) for iri in lexicon.of(everything))
    told = {(iri.value, str(sorted(map(str, t.types))), t.label or "") for iri, t in things if t}
    return {*words, *told}


def said(bare: Repository) -> set[tuple[str, ...]]:
    return content(of_snapshot(bare.current(), bare.derivation.library))


def bring(bare: Repository, name: str, folder: Path) -> None:
    """Publish one of the states."""
    path = folder / "acteurs.csv"
    path.write_text(HEAD + STATES[name], "utf-8")
    whole = Complete() if "gone" in name else None
    options = Options(Settings.base, "Essai", apply=True, max_removals=1.0, complete=whole)
    report = load(inputs(path), bare, options)
    assert report.commit, [each.as_dict("fr") for each in report.problems]


@pytest.mark.long
def test_each_publication_keeps_them_in_step(bare: Repository, tmp_path: Path) -> None:
    library = bare.derivation.library
    seen = [said(bare)]
    for name in STATES:
        bring(bare, name, tmp_path)
        snapshot = bare.current()
        assert snapshot is not None
        assert segments.listed(snapshot.path / FOLDER)
        seen.append(said(bare))
        assert seen[-1] == content(of_store(snapshot.store(), library)), name
    assert len(set(map(frozenset, seen))) == len(seen)  # each publication changed them


def test_a_snapshot_without_them_gets_them(bare: Repository) -> None:
    snapshot, before = bare.current(), said(bare)
    assert snapshot is not None
    shutil.rmtree(snapshot.path / FOLDER)
    assert said(bare) == before
    assert segments.listed(snapshot.path / FOLDER)


def test_a_thing_is_found_by_name_and_by_class(bare: Repository, tmp_path: Path) -> None:
    bring(bare, "one of another kind", tmp_path)
    found = of_snapshot(bare.current(), bare.derivation.library)
    actor = NamedNode(f"{Settings.base}/id/organisation/b")
    assert found.called("aide") == {actor}
    thing = found.thing(actor)
    assert thing is not None
    assert thing.label == "Aide"
    organisations = frozenset({THC["Organisation"]})
    assert actor in set(found.of(organisations))
    assert ("aide", actor) in set(found.words(organisations))
    assert found.thing(NamedNode(f"{Settings.base}/id/organisation/personne")) is None


KINDS = [THC["Organisation"], THC["Commune"]]
things = st.sampled_from([f"urn:x:{number}" for number in range(6)])
names = st.sets(st.sampled_from(["Aide", "Bêta", "aide", "Cités", "Dé"]), max_size=2)
states = st.dictionaries(things, st.tuples(st.sampled_from(KINDS), names), max_size=6)


def facts(state: dict[str, tuple[NamedNode, set[str]]]) -> set[Quad]:
    """Return what is said of some things: a class, and labels."""
    found = set()
    for iri, (kind, labels) in state.items():
        thing = NamedNode(iri)
        found.add(Quad(thing, A, kind, DefaultGraph()))
        found |= {Quad(thing, RDFS["label"], Literal(each), DefaultGraph()) for each in labels}
    return found


@settings(max_examples=40)
@given(st.lists(states, min_size=1, max_size=12), st.integers(0, 200))
def test_they_are_those_made_anew_after_any_publications(
    library: Library, sequence: list[dict[str, tuple[NamedNode, set[str]]]], others: int
) -> None:
    """`others` things never change: the more there are, the less is merged."""
    store = Store()
    store.extend(facts({f"urn:y:{each}": (KINDS[0], {f"Aide {each}"}) for each in range(others)}))
    with TemporaryDirectory() as folder:
        previous, before = None, set[Quad]()
        for number, state in enumerate(sequence):
            after = facts(state)
            for quad in before - after:
                store.remove(quad)
            store.extend(after)
            draft = in_memory(Path(folder) / str(number), previous, before ^ after, store)
            NameFile(library)(draft)
            previous, before = Snapshot(str(number), draft.folder), after
            made = content(of_snapshot(previous, library))
            assert made == content(of_store(store, library))
            assert len(segments.listed(draft.folder / FOLDER)) <= 4


def in_memory(folder: Path, previous: Snapshot | None, changed: set[Quad], store: Store) -> Draft:
    folder.mkdir()
    draft = Draft.__new__(Draft)
    draft.folder, draft.previous, draft.store = folder, previous, store
    draft.touched = {quad.subject for quad in changed if isinstance(quad.subject, NamedNode)}
    return draft


def test_a_publication_writes_what_it_changes_and_links_the_rest(
    bare: Repository, tmp_path: Path
) -> None:
    size = written(bare)
    for name in STATES:
        bring(bare, name, tmp_path)
        assert written(bare) * 20 < size
    found = bare.current()
    assert found is not None
    assert len(segments.listed(found.path / FOLDER)) == 2


def written(bare: Repository) -> int:
    """Return the bytes of the names that no former snapshot holds."""
    snapshot = bare.current()
    assert snapshot is not None
    states = [each.path.stat() for each in segments.listed(snapshot.path / FOLDER)]
    return sum(each.st_size for each in states if each.st_nlink == 1)
