"""The names kept beside a snapshot are those that reading the whole store would give."""

from pathlib import Path

import pytest
from pyoxigraph import NamedNode

from thc_graph.cli.app import repository
from thc_graph.cli.init import publish_vocabulary
from thc_graph.rdf.terms import THC
from thc_graph.settings import Settings, write_settings
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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    settings = Settings(store=tmp_path_factory.mktemp("lexicon") / "store")
    write_settings(settings)
    found = repository(settings)
    publish_vocabulary(found, settings.base)
    return found


def content(lexicon: Lexicon) -> set[tuple[str, ...]]:
    text = "SELECT iri, types, label, word FROM thing LEFT JOIN name ON thing = id"
    return set(lexicon.tables.execute(text))


def said(made: Repository) -> set[tuple[str, ...]]:
    return content(of_snapshot(made.current(), made.derivation.library))


def test_each_publication_keeps_them_in_step(made: Repository, tmp_path: Path) -> None:
    path, library = tmp_path / "acteurs.csv", made.derivation.library
    options = Options(Settings.base, "Essai", apply=True, max_removals=1.0)
    seen = [said(made)]
    for name, rows in STATES.items():
        path.write_text(HEAD + rows, "utf-8")
        whole = Complete() if "gone" in name else None
        report = load(inputs(path), made, Options(**{**vars(options), "complete": whole}))
        assert report.commit, [each.as_dict("fr") for each in report.problems]
        snapshot = made.current()
        assert snapshot is not None
        assert (snapshot.path / FILE).is_file()
        seen.append(said(made))
        assert seen[-1] == content(of_store(snapshot.store(), library)), name
    assert len(set(map(frozenset, seen))) == len(seen)  # each publication changed them


def test_a_snapshot_without_them_gets_them(made: Repository) -> None:
    snapshot, before = made.current(), said(made)
    assert snapshot is not None
    (snapshot.path / FILE).unlink()
    assert said(made) == before
    assert (snapshot.path / FILE).is_file()


def test_a_thing_is_found_by_name_and_by_class(made: Repository) -> None:
    found = of_snapshot(made.current(), made.derivation.library)
    actor = NamedNode(f"{Settings.base}/id/organisation/b")
    assert found.called("aide") == {actor}
    thing = found.thing(actor)
    assert thing is not None
    assert thing.label == "Aide"
    organisations = frozenset({THC["Organisation"]})
    assert actor in set(found.of(organisations))
    assert ("aide", actor) in set(found.words(organisations))
    assert found.thing(NamedNode(f"{Settings.base}/id/organisation/personne")) is None
