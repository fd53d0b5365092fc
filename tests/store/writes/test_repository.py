"""Publication: who holds the lock when, and what it costs, counted."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.errors import DraftOutdated, StoreLocked
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS
from thc_graph.schema.reports import Violation
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.history.by_entity import Touches
from thc_graph.store.history.commits import Commit
from thc_graph.store.library import Library
from thc_graph.store.writes.repository import Published, Repository

GRAPH = NamedNode("https://data.thc.example/graph/essai/essai")


def fact(name: str, text: str = "Essai") -> Quad:
    thing = NamedNode(f"https://data.thc.example/id/organisation/{name}")
    return Quad(thing, RDFS["label"], Literal(text, language="fr"), GRAPH)


def adding(*quads: Quad) -> ChangeSet:
    return ChangeSet(added=frozenset(quads))


def publish(found: Repository, name: str) -> Commit:
    change = adding(fact(name))
    with found.draft(change) as draft, found.writing() as writer:
        return writer.publish(draft, accept_unchecked(change), "Essai", name)


@pytest.fixture
def plain(bare: Repository) -> Repository:
    """A store whose content is not validated."""
    return replace(bare, ruled=False)


# The lock


def test_a_draft_needs_no_lock_and_one_that_is_outdated_is_not_published(plain: Repository) -> None:
    change = adding(fact("un"))
    with plain.draft(change) as draft:
        other = publish(plain, "deux")
        with plain.writing() as writer:
            assert not writer.may_publish(draft, draft.previous)
            with pytest.raises(DraftOutdated):
                writer.publish(draft, accept_unchecked(change), "Essai", "Essai")
    assert plain.history.head == other.id


@dataclass
class Meanwhile:
    """A derivation of nothing, during which somebody else publishes, the first time."""

    found: Repository
    library: Library
    other: Commit | None = None

    def derive(self, *_: object) -> None:
        if self.other is None:
            self.other = publish(self.found, "autre")


def test_what_is_published_is_proposed_again_upon_what_came_in_between(bare: Repository) -> None:
    meanwhile = Meanwhile(replace(bare, ruled=False), bare.derivation.library)
    heads: list[str | None] = []

    def propose() -> ChangeSet:
        heads.append(bare.history.head)
        return adding(fact("un", f"Essai {len(heads)}"))

    before = bare.history.head
    done = replace(bare, derivation=meanwhile).publish(propose, "Essai", "Essai")
    assert isinstance(done, Published)
    assert meanwhile.other is not None
    assert heads == [before, meanwhile.other.id]
    assert done.commit.parent == meanwhile.other.id
    assert bare.history.change(done.commit.id) == adding(fact("un", "Essai 2"))


def test_a_draft_upon_another_state_than_the_proposal_is_not_published(bare: Repository) -> None:
    heads: list[str | None] = []

    def propose() -> ChangeSet:
        heads.append(bare.history.head)
        if len(heads) == 1:
            publish(bare, "autre")
        return adding(fact("un"))

    assert isinstance(bare.publish(propose, "Essai", "Essai"), Published)
    assert len(set(heads)) == 2


def test_nothing_is_published_where_nothing_changes_or_rules_are_broken(bare: Repository) -> None:
    head = bare.history.head
    assert bare.publish(ChangeSet, "Essai", "Rien") is None
    outcome = bare.publish(partial(adding, *broken()), "Essai", "Faux")
    assert isinstance(outcome, list)
    assert all(isinstance(each, Violation) for each in outcome)
    assert bare.history.head == head


def broken() -> list[Quad]:
    """Return an organisation without a name."""
    thing = NamedNode("https://data.thc.example/id/organisation/essai")
    type_ = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    return [Quad(thing, type_, NamedNode("https://w3id.org/thc/ns#Organisation"), GRAPH)]


def test_whom_a_writer_waits_for_is_told_once(bare: Repository) -> None:
    told: list[int | None] = []
    waiting = replace(bare, lock_seconds=0.2, waiting=told.append)
    with bare.writing(), pytest.raises(StoreLocked) as refused, waiting.writing():
        pass
    assert told == [os.getpid()] == [refused.value.pid]


# What it costs


class Witness:
    """Counts what this process opens, lists and links in a folder; Python cannot forget a hook."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.seen: Counter[str] = Counter()
        sys.addaudithook(self.look)

    def look(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.folder is None or event not in ("open", "os.listdir", "os.scandir", "os.link"):
            return
        path = str(arguments[0])
        if path.startswith(str(self.folder)):
            kind = "history" if path.startswith(f"{self.folder}/history") else "else"
            self.seen[f"{event} {kind}"] += 1

    @contextmanager
    def watching(self, folder: Path) -> Iterator[Counter[str]]:
        self.seen, self.folder = Counter(), folder
        try:
            yield self.seen
        finally:
            self.folder = None


@pytest.fixture(scope="module")
def witness() -> Witness:
    return Witness()


def test_what_a_publication_and_a_page_open_is_as_much_after_few_commits_as_after_many(
    plain: Repository, witness: Witness
) -> None:
    few, many = counted(plain, witness, 5), counted(plain, witness, 150)
    for event in ("open history", "os.scandir history", "os.listdir history"):
        assert few[event] == many[event], event
    assert not many["os.scandir history"] + many["os.listdir history"]
    more = {event: many[event] - few[event] for event in many}
    assert all(each <= 6 for each in more.values()), more  # a segment or two of names and digests


def counted(found: Repository, witness: Witness, commits: int) -> Counter[str]:
    """Return what the fifth publication after so many commits opens, and the page after it."""
    for number in range(commits):
        accepted = accept_unchecked(adding(fact(f"un-{number}", f"Essai {number} de {commits}")))
        found.history.record(accepted, "Essai", "Essai")
    with found.writing():
        pass  # the snapshot of the last one
    for number in range(4):
        publish(found, f"avant-{commits}-{number}")
    with witness.watching(found.root) as seen:
        publish(found, f"après-{commits}")
        snapshot = found.current()
        assert snapshot is not None
        touches = Touches(found.history, snapshot)
        assert touches.last(fact(f"après-{commits}").subject) is not None
        assert len(list(touches.of(fact(f"avant-{commits}-0").subject, 20))) == 1
    return seen
