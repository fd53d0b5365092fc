"""The names kept beside a snapshot are those that reading the whole store would give."""

from pathlib import Path

from pyoxigraph import NamedNode

from thc_graph.rdf.terms import THC
from thc_graph.settings import Settings
from thc_graph.sheets.datasets import inputs
from thc_graph.sheets.importing import Complete
from thc_graph.sheets.lexicon import FILE, Lexicon, of_snapshot, of_store
from thc_graph.sheets.loading import Options, load
from thc_graph.store.publication import Repository

HEAD = "Identifiant;Nature;Nom;Type d'acteur\n"
STATES = {
    "two actors": "a;organisation;Aide;association\nb;organisation;Bêta;association\n",
    "one under another name": "a;organisation;Secours;association\n",
    "one gone": "a;organisation;Secours;association\n",
    "one of another kind": "b;organisation;Aide;entreprise\n",
}


def content(lexicon: Lexicon) -> set[tuple[str, ...]]:
    text = "SELECT iri, types, label, word FROM thing LEFT JOIN name ON thing = id"
    return set(lexicon.tables.execute(text))


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


def test_each_publication_keeps_them_in_step(bare: Repository, tmp_path: Path) -> None:
    library = bare.derivation.library
    seen = [said(bare)]
    for name in STATES:
        bring(bare, name, tmp_path)
        snapshot = bare.current()
        assert snapshot is not None
        assert (snapshot.path / FILE).is_file()
        seen.append(said(bare))
        assert seen[-1] == content(of_store(snapshot.store(), library)), name
    assert len(set(map(frozenset, seen))) == len(seen)  # each publication changed them


def test_a_snapshot_without_them_gets_them(bare: Repository) -> None:
    snapshot, before = bare.current(), said(bare)
    assert snapshot is not None
    (snapshot.path / FILE).unlink()
    assert said(bare) == before
    assert (snapshot.path / FILE).is_file()


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
