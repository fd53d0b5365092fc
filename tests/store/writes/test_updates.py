"""Updates: what they change, who may change it, and that history tells the same story."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, Store

from thc_graph.errors import (
    DocumentError,
    EditConflict,
    EditForbidden,
    EditNameless,
    EditRefused,
    EditTooLarge,
    QueryForbidden,
    QuerySyntaxError,
    QueryTimeout,
    StoreLocked,
    ThcGraphError,
)
from thc_graph.store.writes import update_child, updates
from thc_graph.store.writes.repository import Repository
from thc_graph.store.writes.update_process import Desk
from thc_graph.store.writes.updates import Condition, Edit, Written

pytestmark = pytest.mark.long

BASE = "https://data.thc.example/"
SOURCE = f"{BASE}graph/essai/communes"
COMMUNE = f"<{BASE}id/commune/68224>"
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
MEMORY = 1 << 30

UPDATES = [
    "INSERT DATA { <urn:x> <urn:p> 1, 2 ; <urn:q> 'a; }'@fr . GRAPH <urn:g> { <urn:x> <urn:p> 1 }}",
    "INSERT DATA { <urn:a> <urn:p> 9 } ; DELETE DATA { <urn:a> <urn:p> 9 . <urn:a> <urn:p> 1 }",
    "DELETE DATA { <urn:nobody> <urn:p> 1 } ; INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:p> 1 } }",
    "DELETE { ?s ?p ?o } INSERT { ?s ?p 3 } WHERE { ?s ?p ?o }",
    "WITH <urn:g> DELETE { ?s ?p ?o } INSERT { GRAPH <urn:h> { ?s ?p ?o } } WHERE { ?s ?p ?o }",
    "DELETE WHERE { GRAPH ?g { ?s ?p ?o } }",
    "PREFIX g: <urn:> WITH g:g DELETE { ?s ?p 2 } INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
    "BASE <urn:x> DELETE { GRAPH <urn:g> { ?s ?p ?o } } USING <urn:g> WHERE { ?s ?p ?o }",
    "INSERT { ?s ?p ?new } USING NAMED <urn:g> WHERE { GRAPH ?g { ?s ?p ?o } BIND(?o+1 AS ?new) }",
    "INSERT { GRAPH ?g { ?s <urn:q> ?no } } WHERE { GRAPH ?g { ?s ?p ?o } OPTIONAL { ?o ?p ?no }}",
    "INSERT { <urn:c> <urn:p> 1 } WHERE { <urn:a> <urn:p> 1 }",
    "INSERT { <urn:c> <urn:p> 1 } WHERE { <urn:a> <urn:p> 7 }",
    "CLEAR GRAPH <urn:g>",
    "DROP ALL",
    "COPY DEFAULT TO <urn:h> ; MOVE <urn:g> TO DEFAULT",
    "INSERT { ?s <urn:twice> ?o } WHERE { ?s ?p ?o } ; DELETE WHERE { ?s <urn:p> ?o }",
]


@pytest.fixture
def desk(plain: Repository) -> Iterator[Desk]:
    desk = Desk(plain.root, 20, MEMORY)
    yield desk
    desk.clear()


@pytest.fixture
def ruled_desk(ruled: Repository) -> Iterator[Desk]:
    desk = Desk(ruled.root, 20, MEMORY)
    yield desk
    desk.clear()


def write(repository: Repository, desk: Desk, edit: Edit | str) -> Written:
    given = updates.update(edit, BASE) if isinstance(edit, str) else edit
    under_base = f"{BASE}graph/essai/"

    def may(graph: object) -> bool:
        return not repository.ruled or getattr(graph, "value", "").startswith(under_base)

    return updates.write(repository, desk, given, "Ville", "Essai", may)


def transfer(kind: str, body: str, graph: str = SOURCE) -> Edit:
    media_type = "text/turtle"
    facts = {"media_type": media_type, "content_type": media_type, "base": graph}
    return Edit({"kind": kind, "graph": graph, **facts}, body.encode())


@pytest.mark.parametrize("text", UPDATES)
@pytest.mark.parametrize("way", ["in memory", "by pattern", "on a copy"])
def test_a_change_is_what_the_engine_would_do(
    text: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_child, "SMALL", 5_000 if way == "in memory" else 0)
    before, after = Store(str(tmp_path / "before")), Store()
    before.update(
        "INSERT DATA { <urn:a> <urn:p> 1, 2 . "
        "GRAPH <urn:g> { <urn:a> <urn:p> 1 . <urn:b> <urn:p> 2 } }"
    )
    after.extend(before)
    after.update(text)
    facts = {"scratch": str(tmp_path / "after"), "most": None}
    request = {**updates.update(text, BASE).request, **facts}
    if way == "on a copy":
        request.update(mentioned=None, operation=None)
    removed, added = update_child.changed_by_update(before, request)
    assert (removed, added) == (set(before) - set(after), set(after) - set(before))


NODES = st.sampled_from([NamedNode(f"urn:{name}") for name in "abcdef"])
QUADS = st.lists(st.builds(Quad, NODES, NODES, NODES), unique=True)


@given(QUADS, QUADS)
def test_a_difference_is_that_of_the_sets(before: list[Quad], after: list[Quad]) -> None:
    removed, added = update_child.difference(before, after)
    assert (removed, added) == (set(before) - set(after), set(after) - set(before))


def test_a_write_is_a_commit_that_says_who(plain: Repository, desk: Desk) -> None:
    written = write(plain, desk, UPDATES[0])
    assert written.commit is not None
    assert (written.commit.author, written.commit.added) == ("Ville", 4)
    assert plain.history.head == written.commit.id
    again = write(plain, desk, UPDATES[0])
    assert again.commit is None
    assert plain.history.head == written.commit.id


def test_history_rebuilds_blank_nodes_and_the_own_default_graph(
    plain: Repository, desk: Desk
) -> None:
    write(plain, desk, "INSERT DATA { _:x <urn:p> _:y . GRAPH <urn:g> { _:x <urn:q> 1 } }")
    write(plain, desk, "INSERT { ?x <urn:r> [] } WHERE { ?x <urn:p> ?y }")
    write(plain, desk, "DELETE WHERE { ?x <urn:p> ?y }")
    write(plain, desk, transfer("post", "[] <urn:p> [ <urn:p> 2 ] .", "urn:h"))
    published = plain.current()
    assert published is not None
    before = set(published.store())
    assert len(before) == 4
    shutil.rmtree(published.path.parent)
    (plain.root / "CURRENT").unlink()
    with plain.writing():
        pass
    rebuilt = plain.current()
    assert rebuilt is not None
    assert set(rebuilt.store()) == before


def test_a_valid_write_is_published_with_its_union(ruled: Repository, ruled_desk: Desk) -> None:
    text = f'INSERT DATA {{ GRAPH <{SOURCE}> {{ {COMMUNE} {LABEL} "Mülhausen"@de }} }}'
    write(ruled, ruled_desk, text)
    published = ruled.current()
    assert published is not None
    assert published.store().query(f'ASK {{ {COMMUNE} {LABEL} "Mülhausen"@de }}')


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (f'INSERT DATA {{ {COMMUNE} {LABEL} "x" }}', EditForbidden),
        ("DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", EditForbidden),
        ("DROP ALL", EditForbidden),
        (
            f'INSERT DATA {{ GRAPH <{BASE}graph/derive/x> {{ {COMMUNE} {LABEL} "x" }} }}',
            EditForbidden,
        ),
        (f"INSERT DATA {{ GRAPH <{SOURCE}> {{ {COMMUNE} {LABEL} [] }} }}", EditNameless),
        (f"INSERT DATA {{ GRAPH <{SOURCE}> {{ [] {LABEL} 'x' }} }}", EditNameless),
        (f"DELETE WHERE {{ GRAPH <{SOURCE}> {{ {COMMUNE} {LABEL} ?name }} }}", EditRefused),
        (transfer("put", f"{COMMUNE} a <https://w3id.org/thc/ns#Commune> ."), EditRefused),
        (transfer("put", "<a> <b> ."), DocumentError),
        (transfer("put", "<a> <b> _:c ."), EditNameless),
        ("INSERT DATA { oups }", QuerySyntaxError),
        ("INSERT { ?s ?p 1 } WHERE { ?s ?p ?o } <urn:x>", QuerySyntaxError),
        (Edit(transfer("put", "<a> <b> <c> .").request, b"", Condition(("x",))), EditConflict),
    ],
)
def test_what_is_refused_leaves_all_as_it_was(
    edit: Edit | str, error: type[ThcGraphError], ruled: Repository, ruled_desk: Desk
) -> None:
    head = ruled.history.head
    with pytest.raises(error):
        write(ruled, ruled_desk, edit)
    assert ruled.history.head == head
    assert not list((ruled.root / "snapshots").glob(".*"))


@pytest.mark.parametrize(
    "text",
    [
        "LOAD <http://127.0.0.1:9/x> INTO GRAPH <urn:g>",
        "PREFIX a: <urn:a>LOAD<file:///etc/hostname>",
        "LOAD SILENT <urn:a> ; LOADSILENT <urn:b>",
        "INSERT DATA {} ; load <http://127.0.0.1:9/x>",
        "INSERT { ?s ?p ?o } WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "INSERT { ?s ?p ?o } WHERE { BIND(1 AS ?x) 1SERVICE<http://127.0.0.1:9/> { ?s ?p ?o } }",
    ],
)
def test_a_fetch_is_refused(text: str) -> None:
    with pytest.raises((QueryForbidden, QuerySyntaxError)):
        updates.update(text, BASE)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("LOAD SILENT <http://127.0.0.1:9/>", "INSERT DATA {}"),
        ("load silent x:a INTO GRAPH x:b ; CLEAR ALL", "INSERT DATA {} ; CLEAR ALL"),
        ("INSERT DATA { <urn:a> <urn:p> 'LOAD SILENT <x>' }",) * 2,
    ],
)
def test_a_silent_fetch_is_nothing(text: str, left: str) -> None:
    assert updates.update(text, BASE).request["text"] == left


def test_a_runaway_update_is_stopped_and_the_next_write_is_served(plain: Repository) -> None:
    desk = Desk(plain.root, 20, MEMORY)
    numbers = ", ".join(map(str, range(300)))
    write(plain, desk, f"INSERT DATA {{ <urn:a> <urn:p> {numbers} }}")
    desk.seconds = 1.5
    cross = " . ".join(f"?s ?p ?o{n}" for n in range(6))
    with pytest.raises(QueryTimeout):
        write(plain, desk, f"INSERT {{ ?s <urn:q> ?o5 }} WHERE {{ {cross} FILTER(?o1 > ?o2) }}")
    desk.seconds = 20
    assert write(plain, desk, "DROP ALL").commit is not None
    desk.clear()


@pytest.mark.parametrize(
    "edit",
    [
        "INSERT DATA { <urn:a> <urn:p> 1, 2, 3 }",
        "DROP ALL",
        "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p ?o } INSERT { ?s <urn:q> ?o } WHERE { ?s ?p ?o } ; CLEAR DEFAULT",
        transfer("put", "<a> <p> 1, 2, 3 ."),
        transfer("delete", "", "urn:g"),
    ],
)
@pytest.mark.parametrize("way", ["in memory", "on disk"])
def test_a_write_changes_so_many_facts(
    edit: Edit | str, way: str, plain: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_child, "SMALL", 5_000 if way == "in memory" else 0)
    facts = "<urn:a> <urn:p> 4, 5, 6"
    desk = Desk(plain.root, 20, MEMORY)
    write(plain, desk, f"INSERT DATA {{ {facts} . GRAPH <urn:g> {{ {facts} }} }}")
    given = updates.update(edit, BASE) if isinstance(edit, str) else edit
    bounded = replace(given, request={**given.request, "most": 2})
    with pytest.raises(EditTooLarge) as told:
        write(plain, desk, bounded)
    assert told.value.limit == 2
    assert write(plain, desk, replace(given, request={**given.request, "most": 6})).commit
    desk.clear()


def test_a_child_that_serves_for_long_keeps_its_memory(plain: Repository) -> None:
    desk = Desk(plain.root, 20, 448 << 20)
    for number in range(8):
        write(plain, desk, f"INSERT DATA {{ <urn:a> <urn:p> {number} }}")
    desk.clear()


def test_a_number_written_otherwise_changes_nothing(plain: Repository, desk: Desk) -> None:
    assert write(plain, desk, transfer("put", "<a> <p> 49.0, 01, 1.50 .")).commit
    assert write(plain, desk, transfer("put", "<a> <p> 49.00, 1, 1.5 .")).commit is None


def test_a_document_made_to_be_slow_is_stopped(plain: Repository) -> None:
    desk = Desk(plain.root, 1.5, MEMORY)
    depth = 60_000
    opening = '<e:a xmlns:e="urn:e#">' + "<e:a><e:b>" * depth
    body = f'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{opening}'
    request = {**transfer("put", "").request, "media_type": "application/rdf+xml"}
    with pytest.raises((QueryTimeout, DocumentError)):
        write(plain, desk, Edit(request, body.encode()))
    desk.clear()


def test_a_second_writer_is_told(plain: Repository, desk: Desk) -> None:
    plain = replace(plain, lock_seconds=0.0)
    with plain.writing(), pytest.raises(StoreLocked):
        write(plain, desk, UPDATES[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
            "INSERT { ?s ?p 1 }  USING <urn:g> USING NAMED <urn:h> WHERE { ?s ?p ?o }",
        ),
        (
            "CLEAR ALL; DELETE WHERE { ?where <where> { } }",
            (
                "CLEAR ALL; DELETE { ?where <where> { } } USING <urn:g> USING NAMED <urn:h> "
                "WHERE { ?where <where> { } }"
            ),
        ),
        ("INSERT DATA { <urn:a> <urn:p> 'WHERE' }", "INSERT DATA { <urn:a> <urn:p> 'WHERE' }"),
    ],
)
def test_the_protocols_graphs_stand_before_where(text: str, expected: str) -> None:
    edit = updates.update(text, BASE, ["urn:g"], ["urn:h"])
    assert edit.request["text"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "WITH <urn:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p ?o } USING <urn:g> WHERE { ?s ?p ?o }",
    ],
)
def test_a_dataset_is_not_named_twice(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        updates.update(text, BASE, ["urn:g"])
