"""Lawful erasure, down to the bytes: of a person, of a fact, interrupted anywhere."""

import asyncio
import gzip
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pyoxigraph import Literal, NamedNode, Quad
from typer.testing import CliRunner

from thc_graph.cli.app import app
from thc_graph.errors import HistoryCorrupt
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import Settings, read_settings
from thc_graph.rdf import iris
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import FOAF, RDFS, A
from thc_graph.schema.shapes import Text
from thc_graph.schema.validation import Accepted, accept_unchecked
from thc_graph.sheets.imports import journal
from thc_graph.sheets.problems import Cell, Problem, Severity
from thc_graph.store.history import erasure
from thc_graph.store.history import purge as purges
from thc_graph.store.history.commits import Source
from thc_graph.store.history.erasure import Erasure
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app

BASE = Settings.base
PERSON = iris.entity(BASE, "personne", "zoe-marqueur")
OTHER = iris.entity(BASE, "personne", "ali-temoin")
MANDATE = iris.entity(BASE, "mandat", "zoe-marqueur-2020")
GRAPH = iris.graph(BASE, "essai")
HOLDER = NamedNode("http://www.w3.org/ns/org#member")
EMAIL = NamedNode("http://schema.org/email")
NAME, ADDRESS = "Zoé Marqueur-Unique", "zoe.unique@exemple.fr"
TRACES = (NAME, ADDRESS, PERSON.value)
KILLED_AT = """
import json, os, signal, sys
from thc_graph.cli import main
left = 0
def count(event, given):
    global left
    last = event == "os.remove" and str(given[0]).endswith("purge.json")
    if last or event in ("os.rename", "shutil.rmtree"):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
for line in sys.stdin:
    child = os.fork()
    if not child:
        left, *sys.argv = json.loads(line)
        sys.addaudithook(count)
        main()
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def quads(*triples: tuple[NamedNode, NamedNode, NamedNode | Literal]) -> frozenset[Quad]:
    return frozenset(Quad(*triple, GRAPH) for triple in triples)


def publish(repository: Repository, message: str, change: ChangeSet) -> None:
    with repository.writing() as writer, repository.draft(change) as draft:
        source = (Source(f"{message}.csv", "00" * 32),)
        writer.publish(draft, accept_unchecked(change), "Ville", f"Import : {message}", source)


@pytest.fixture
def store(bare: Repository) -> Repository:
    """Three commits that speak of a person, a fourth that does not, and a journal."""
    about = quads(
        (PERSON, A, FOAF["Person"]),
        (PERSON, RDFS["label"], Literal(NAME, language="fr")),
        (PERSON, EMAIL, Literal(ADDRESS)),
        (OTHER, RDFS["label"], Literal("Ali Témoin", language="fr")),
    )
    publish(bare, f"personnes de {NAME}", ChangeSet(added=about))
    mandate = quads((MANDATE, HOLDER, PERSON), (MANDATE, RDFS["label"], Literal("Mairie")))
    publish(bare, "mandats", ChangeSet(added=mandate))
    before = quads((PERSON, RDFS["label"], Literal(NAME, language="fr")))
    after = quads((PERSON, RDFS["label"], Literal(f"{NAME}-Bis", language="fr")))
    publish(bare, "nom", ChangeSet(removed=before, added=after))
    publish(bare, "autre", ChangeSet(added=quads((OTHER, A, FOAF["Person"]))))
    message = Text(fr=f"« {NAME} » n'est pas une date.", en="No date.")
    problem = Problem(Cell("p.csv", 2), Severity.ERROR, NAME, message, "date")
    journal.write(bare.root, [f"{NAME}.csv", "autre.csv"], None, {}, [problem])
    return bare


def run(repository: Repository, *options: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["--store", str(repository.root), "purge", *options])
    assert done.exit_code == code, done.output
    return done.output


ERASE = (PERSON.value, "--reason", "request", "--yes")


def holding(folder: Path, *texts: str) -> list[str]:
    """Return the files whose bytes hold a text: an eye of the test's own."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            content += gzip.decompress(content) if path.suffix == ".gz" else b""
            escaped = [json.dumps(text).strip('"') for text in texts]
            if any(text.encode() in content for text in (*texts, *escaped)):
                found.append(str(path.relative_to(folder)))
    return found


def test_a_person_leaves_every_byte(store: Repository) -> None:
    before = holding(store.root, *TRACES)
    assert {path.split("/")[0] for path in before} == {"history", "journal", "snapshots"}
    old = [commit.id for commit in store.history.log()]
    run(store, *ERASE)
    assert holding(store.root, *TRACES) == []
    ids = [commit.id for commit in store.history.log()]
    assert ids[1:] == old  # no id changed: whoever cites a commit still finds it
    snapshot = store.current()
    assert snapshot is not None
    assert [path.name for path in (store.root / "snapshots").iterdir()] == [snapshot.commit]
    published = snapshot.store()
    assert next(published.quads_for_pattern(OTHER, A, None, None), None)
    assert not list(published.quads_for_pattern(None, None, PERSON, None))
    (entry,) = journal.entries(store.root)
    assert entry.files == [erasure.MASK, "autre.csv"]
    told = purges.tombstone(store.root, PERSON.value)
    assert told is not None
    assert told.reason == "request"
    assert purges.tombstone(store.root, OTHER.value) is None


def test_the_preview_names_who_is_left(store: Repository) -> None:
    told = json.loads(run(store, PERSON.value, "--reason", "request", "--json"))
    assert told["citing"] == [MANDATE.value]
    assert told["commits"] == 3
    assert told["echoes"] == [MANDATE.value]  # its own name is made of the person's
    assert holding(store.root, NAME)


def test_a_text_that_another_keeps_is_an_echo_and_no_leftover(store: Repository) -> None:
    kept = (OTHER, RDFS["comment"], Literal(f"Succède à {NAME}."))
    publish(store, "suite", ChangeSet(added=quads(kept)))
    told = json.loads(run(store, *ERASE, "--json"))
    assert told["left"] == []
    assert told["echoes"] == sorted([MANDATE.value, OTHER.value])
    assert holding(store.root, ADDRESS, PERSON.value) == []


def test_a_file_that_cannot_be_blotted_is_named(store: Repository) -> None:
    (store.root / "notes.txt").write_text(f"Appeler {NAME} au sujet de {ADDRESS}")
    assert "notes.txt" in run(store, *ERASE, code=1)


def test_a_fact_leaves_and_the_person_stays(store: Repository) -> None:
    run(store, PERSON.value, "--facts", "schema:email", "--reason", "mistake", "--yes")
    assert holding(store.root, ADDRESS) == []
    snapshot = store.current()
    assert snapshot is not None
    assert next(snapshot.store().quads_for_pattern(PERSON, RDFS["label"], None, None), None)
    assert purges.tombstone(store.root, PERSON.value) is None


def test_a_second_purge_redacts_what_the_first_had(store: Repository) -> None:
    run(store, PERSON.value, "--facts", "schema:email", "--reason", "mistake", "--yes")
    run(store, *ERASE)
    run(store, *ERASE, code=1)  # nothing is left to erase
    assert holding(store.root, *TRACES) == []
    redacted = store.history.erased().redacted
    purges = [commit.purge for commit in store.history.log() if commit.purge]
    assert len(purges) == 2
    assert redacted == {**purges[1].redacted, **purges[0].redacted}


def test_what_comes_back_is_told(store: Repository) -> None:
    run(store, *ERASE)
    change = ChangeSet(added=quads((PERSON, A, FOAF["Person"]), (OTHER, A, FOAF["Agent"])))
    with store.draft(change) as draft:
        outcome = store.check(change, draft)
    assert isinstance(outcome, Accepted)
    assert [each.focus for each in outcome.warnings if "effacée" in each.message.fr] == [PERSON]


def test_a_redacted_commit_is_held_to_its_seal(store: Repository) -> None:
    run(store, *ERASE)
    id_ = next(iter(store.history.erased().redacted))
    path = store.root / "history" / f"{id_}.patch.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace("Témoin", "Autre", 1).encode() + b" "))
    with pytest.raises(HistoryCorrupt):
        store.history.change(id_)


@pytest.fixture
def killed() -> Iterator[Callable[[int, Path], int]]:
    """Give a function that kills a purge at a moment, or lets it end; it returns the exit code.

    The process behind it has everything ready, and makes a child for each purge.
    """
    argv = [sys.executable, "-c", KILLED_AT]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:

        def purge(moment: int, root: Path) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            words = ["thc-graph", "--store", str(root), "purge", *ERASE]
            print(json.dumps([moment, *words]), file=process.stdin, flush=True)
            lines = (line for line in process.stdout if line.startswith("ended "))
            return int(next(lines).split()[1])

        yield purge


def test_a_purge_killed_anywhere_is_finished_by_the_next_writer(
    store: Repository, killed: Callable[[int, Path], int]
) -> None:
    begun = finished = 0
    for moment in range(2, 60, 3):
        own = replace(store, root=store.root.with_name(f"store-{moment}"))
        shutil.copytree(store.root, own.root)
        code = killed(moment, own.root)
        is_begun = (own.root / "purge.json").exists()
        with own.writing():
            pass
        snapshot = own.current()
        assert snapshot is not None
        assert snapshot.commit == own.history.head
        assert not (own.root / "purge.json").exists()
        if is_begun or code == 0:
            assert holding(own.root, *TRACES) == [], moment
            assert purges.tombstone(own.root, PERSON.value)
            assert sum(commit.purge is not None for commit in own.history.log()) == 1
        begun += is_begun
        shutil.rmtree(own.root)
        if code == 0:
            finished = moment
            break
        assert code == -signal.SIGKILL
    assert finished
    assert begun > 3


def test_a_running_server_forgets(store: Repository) -> None:
    asyncio.run(_forgets(store))


async def _forgets(store: Repository) -> None:
    service = open_service(replace(read_settings(store.root), refresh_seconds=3600, workers=1))
    served = create_app(service)
    transport = httpx.ASGITransport(served)
    async with (
        served.router.lifespan_context(served),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        paths = ["/doc/personne/zoe-marqueur", "/doc/personne/zoe-marqueur.ttl"]
        query = {"query": f"SELECT * {{ ?s ?p ?o FILTER CONTAINS(STR(?o), '{NAME}') }}"}
        for path in paths:
            assert NAME in (await client.get(path)).text
        assert NAME in (await client.get("/sparql", params=query)).text
        with store.writing() as writer:
            writer.purge(Erasure((PERSON.value,), reason="order"), "Ville")
        await service.refresh()
        for path in paths:
            gone = await client.get(path, headers={"Accept": "text/html", "Accept-Language": "fr"})
            assert gone.status_code == 410
            assert "par obligation légale" in gone.text
            assert NAME not in gone.text
        assert (await client.get("/sparql", params=query)).json()["results"]["bindings"] == []
        machine = (await client.get(paths[0], headers={"Accept": "text/turtle"})).json()
        assert machine["code"] == "Withdrawn.order"
        assert (await client.get("/doc/personne/inconnue")).status_code == 404
