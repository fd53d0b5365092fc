"""A store damaged in one place: every command makes it again or names file, harm and remedy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import serving
import stores
from damage import FEW, KINDS, TARGETS, damaged
from thc_graph.cli.import_ import load
from thc_graph.instance.settings import read_settings
from thc_graph.people import tokens
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import THC
from thc_graph.schema.validation import accept_unchecked
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.store.history.erasure import Erasure
from thc_graph.store.writes import recovery
from thc_graph.store.writes.repository import Repository

Run = Callable[..., tuple[int, str, str]]
HEADINGS = "Type de territoire,Code INSEE,Nom,Département,Région,Population\n"
PLACES = "région,84,Auvergne-Rhône-Alpes,,,8000000\ndépartement,01,Ain,01,84,600000\n"
COMMUNE = "commune,01001,L'Abergement-Clémenciat,01,84,860\n"
REMEDIES = ("thc-graph restore", "sauvegarde")
EACH = [
    pytest.param(*kind, marks=() if kind in FEW else pytest.mark.all, id="-".join(kind))
    for kind in KINDS
]


@pytest.fixture(scope="module")
def whole(vocabulary: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A store with all that one may hold: several commits, a purge, tokens, a journal."""
    found = stores.copied(vocabulary, tmp_path_factory.mktemp("whole"))
    with found.writing() as writer:
        writer.purge(Erasure((THC["Engagement"].value,)), "Ville")
    for text in (PLACES, COMMUNE.replace("01001", "01002")):
        path = found.root.parent / "territoires.csv"
        path.write_text(HEADINGS + text, "utf-8")
        report = load(inputs(path), found, read_settings(found.root), "tests", apply=True)
        assert report.commit
    tokens.create(found.root, "Ville", "write")
    recovery.make_sure(found)
    return found


@pytest.fixture
def store(whole: Repository, tmp_path: Path) -> Repository:
    return stores.copied(whole, tmp_path)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "communes.csv"
    path.write_text(HEADINGS + COMMUNE, "utf-8")
    return path


def commits(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "history").glob("*.gz"))


def holds(found: Repository) -> bool:
    """Tell whether the snapshot holds all that the history says, played again."""
    snapshot, head = found.current(), found.history.head
    return bool(snapshot and head) and found.history.state(head) <= set(snapshot.store())


@pytest.mark.parametrize(("name", "damage"), EACH)
def test_an_import(run: Run, store: Repository, sheet: Path, name: str, damage: str) -> None:
    outcome = TARGETS[name].of(damage)
    file = damaged(store.root, name, damage)
    before = commits(store.root)
    code, _, told = run(store.root, "import", sheet, "--apply", "--yes")
    if outcome == "refused":
        assert code == 1
        assert file in told
        assert any(each in told for each in REMEDIES), told
        assert commits(store.root) == before
        return
    assert code == 0, told
    assert (file in told) == (outcome == "rebuilt"), told
    assert len(commits(store.root)) == len(before) + 1
    assert holds(store)
    assert not recovery.harms(store.root, thorough=True)


@pytest.mark.parametrize(("name", "damage"), EACH)
def test_doctor(run: Run, store: Repository, name: str, damage: str) -> None:
    outcome = TARGETS[name].of(damage)
    file = damaged(store.root, name, damage)
    code, out, told = run(store.root, "doctor")
    assert code == (0 if outcome == "harmless" else 1), out + told
    assert (file in out + told) == (outcome != "harmless"), out + told
    code, out, told = run(store.root, "doctor", "--repair")
    assert code == (1 if outcome in ("refused", "told") else 0), out + told
    if outcome == "rebuilt":
        assert file in told
        assert holds(store)


@pytest.mark.parametrize(("name", "damage"), EACH)
def test_serve(store: Repository, name: str, damage: str) -> None:
    """A server of its own is the slow part: a store that is refused ends it at once."""
    outcome = TARGETS[name].of(damage)
    file = damaged(store.root, name, damage)
    if name == "key":  # only those who write need it
        outcome = "told"
    if outcome != "refused":
        with serving.served(store.root) as address:
            assert address
        assert holds(store)
        assert not recovery.harms(store.root, thorough=True)
        return
    done = command(store.root, "serve", "--port", str(serving.free_port()))
    assert done.returncode == 1
    assert file in done.stderr
    assert "Traceback" not in done.stderr
    assert any(each in done.stderr for each in REMEDIES), done.stderr


def command(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("thc-graph")
    return subprocess.run(
        [program, "--store", root, *words], capture_output=True, text=True, check=False, timeout=600
    )


def test_what_a_disk_lost_by_itself_is_found_by_doctor(run: Run, store: Repository) -> None:
    """Size and time are as they were: only a thorough look reads the file."""
    snapshot = store.current()
    assert snapshot is not None
    path = max(snapshot.quads.glob("*.sst"), key=lambda path: path.stat().st_size)
    time = path.stat().st_mtime_ns
    damaged(store.root, "table", "flipped")
    os.utime(path, ns=(time, time))
    assert not recovery.harms(store.root)
    code, out, _ = run(store.root, "doctor")
    assert (code, path.name in out) == (1, True)
    code, out, told = run(store.root, "doctor", "--repair")
    assert (code, path.name in told) == (0, True), out


def test_a_head_that_went_back_is_refused(run: Run, store: Repository, sheet: Path) -> None:
    *_, first = store.history.log()
    (store.root / "history/HEAD").write_text(first.id)
    before = commits(store.root)
    code, _, told = run(store.root, "import", sheet, "--apply", "--yes")
    assert (code, "history/HEAD" in told, commits(store.root)) == (1, True, before), told


def test_the_words_are_in_the_language_asked_for(run: Run, store: Repository) -> None:
    damaged(store.root, "last commit", "cut")
    told = run(store.root, "--lang", "en", "stats")[2]
    assert "is cut short. Nothing is published upon it." in told


@pytest.fixture
def closed(store: Repository) -> Path:
    """A store on a disk that is mounted read-only; root heeds no mode of a file."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("mounting a folder read-only needs root and unshare")
    recovery.make_sure(store)
    return store.root


def in_closed(root: Path, script: str) -> "subprocess.CompletedProcess[str]":
    mount = f"mount --bind {root} {root} && mount -o remount,ro,bind {root} && "
    words = ["unshare", "-m", "sh", "-c", mount + script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    if "mount:" in done.stderr:
        pytest.skip(f"this machine mounts nothing: {done.stderr}")
    return done


def test_a_read_only_store_is_examined_and_read(closed: Path) -> None:
    program = Path(sys.executable).with_name("thc-graph")
    done = in_closed(closed, f"{program} --store {closed} doctor")
    assert (done.returncode, done.stderr) == (0, "")
    done = in_closed(closed, f"{program} --store {closed} stats")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_read_only_store_is_served(closed: Path) -> None:
    program, port = Path(sys.executable).with_name("thc-graph"), serving.free_port()
    fetch = f"curl -s --retry 60 --retry-connrefused --retry-delay 1 http://127.0.0.1:{port}"
    script = (
        f"{program} --store {closed} serve --port {port} & "
        f"{fetch}/readyz; {fetch}/recherche?q=engagement | grep -c '<h1'; kill $!; wait $!"
    )
    done = in_closed(closed, script)
    assert "ok" in done.stdout, done.stderr
    assert "1" in done.stdout
    assert "il est servi tel quel" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_only_store_of_a_version_before_seals_is_examined_and_read(closed: Path) -> None:
    for each in closed.glob("snapshots/*/SEALS"):
        each.unlink()
    (closed / "FORMAT").write_text("1\n")
    program = Path(sys.executable).with_name("thc-graph")
    done = in_closed(closed, f"{program} --store {closed} doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "version qui ne scellait pas" in done.stdout
    done = in_closed(closed, f"{program} --store {closed} stats")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_harmed_read_only_store_is_refused_in_words(closed: Path) -> None:
    damaged(closed, "terms", "flipped")
    program = Path(sys.executable).with_name("thc-graph")
    done = in_closed(closed, f"{program} --store {closed} serve --port 0")
    assert done.returncode == 1
    assert "là où le magasin peut être écrit" in done.stderr


def test_a_store_on_a_full_disk_is_served(store: Repository, tmp_path: Path) -> None:
    """What a crash left recorded finds no room to be published: who reads is not to wait for it."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("mounting a disk of some megabytes needs root and unshare")
    store.history.record(accept_unchecked(ChangeSet()), "Ville", "Essai")
    program, port = Path(sys.executable).with_name("thc-graph"), serving.free_port()
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        f"mount -t tmpfs -o size=96m none {disk} && cp -a {store.root}/. {disk} || exit; "
        f"cat /dev/zero > {disk}/filler; {program} --store {disk} serve --port {port} & "
        "curl -s --retry 60 --retry-connrefused --retry-delay 1 "
        f"http://127.0.0.1:{port}/recherche?q=engagement | grep -c '<h1'; kill $!; wait $!"
    )
    words = ["unshare", "-m", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    if "mount:" in done.stderr:
        pytest.skip(f"this machine mounts nothing: {done.stderr}")
    assert done.stdout == "1\n", done.stderr
    assert "Le disque est plein." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="session")
def france(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole demonstration, all communes with it."""
    root = tmp_path_factory.mktemp("france") / "store"
    done = command(root, "init", "--demo")
    assert done.returncode == 0, done.stderr
    return root


WHOLE = (
    ("pointer", "cut"),
    ("seals", "missing"),
    ("engine's pointer", "flipped"),
    ("engine's manifest", "missing"),
    ("table", "flipped"),
    ("index", "empty"),
    ("terms", "cut"),
    ("names", "flipped"),
    ("last commit", "cut"),
    ("first commit", "flipped"),
)


@pytest.mark.all
@pytest.mark.parametrize(("name", "damage"), WHOLE)
def test_the_whole_demonstration(
    france: Path, tmp_path: Path, sheet: Path, name: str, damage: str
) -> None:
    root = tmp_path / "store"
    shutil.copytree(france, root)
    file = damaged(root, name, damage)
    done = command(root, "doctor")
    assert (done.returncode, file in done.stdout) == (1, True), done.stdout
    before = commits(root)
    done = command(root, "import", str(sheet), "--apply", "--yes")
    assert "Traceback" not in done.stderr
    assert file in done.stderr
    if TARGETS[name].outcome == "refused":
        assert (done.returncode, commits(root)) == (1, before)
        assert command(root, "serve", "--port", "0").returncode == 1
        return
    assert done.returncode == 0, done.stderr
    with serving.served(root) as address:
        assert address
    assert command(root, "doctor").returncode == 0
