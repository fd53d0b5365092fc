"""What is built ahead, by another process, is what would have been built here."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from thc_graph.rdf.changes import ChangeSet
from thc_graph.store.snapshots import draft as drafts
from thc_graph.store.snapshots.artefacts import Ahead, furnish
from thc_graph.store.snapshots.draft import Draft

QUAD = Quad(*(NamedNode(f"urn:x:{each}") for each in "spog"))


@dataclass(frozen=True)
class Told:
    """An artefact that tells what it sees; or that fails."""

    fails: bool = False

    def __call__(self, draft: Draft) -> None:
        if self.fails:
            raise ValueError
        told = sorted(map(str, draft.touched)), len(draft.store), draft.previous
        (draft.folder / "told").write_text(repr(told))


@pytest.fixture
def draft(tmp_path: Path):
    with drafts.drafting(tmp_path, None) as draft:
        draft.apply(ChangeSet(added=frozenset({QUAD})))
        yield draft


def test_what_is_built_ahead_is_what_is_built_here(draft: Draft) -> None:
    ahead = Ahead((Told(),), draft)
    assert ahead.fetch()
    told = (draft.folder / "told").read_text()
    furnish((Told(),), draft)
    assert (draft.folder / "told").read_text() == told
    assert sorted(path.name for path in draft.folder.iterdir()) == ["claim.lock", "quads", "told"]


def test_what_fails_ahead_leaves_nothing_and_says_nothing(draft: Draft, capfd) -> None:
    assert not Ahead((Told(), Told(fails=True)), draft).fetch()
    assert sorted(path.name for path in draft.folder.iterdir()) == ["claim.lock", "quads"]
    assert capfd.readouterr().err == ""


def test_what_is_no_longer_wanted_is_stopped(draft: Draft) -> None:
    ahead = Ahead((Told(),), draft)
    ahead.stop()
    assert not ahead.fetch()
