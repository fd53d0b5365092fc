"""Several writers of one store, each a process of its own: nobody waits for a person's answer."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode

from thc_graph.cli.app import repository
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import locked

pytestmark = pytest.mark.long

SLOGAN = NamedNode("http://schema.org/slogan")
PATIENCE = 120.0  # seconds for a command on a machine that is busy
PROGRAM = "from thc_graph.cli import main; main()"
HOLDER = """
import os, sys, time
from pathlib import Path
from thc_graph.store.writes.repository import locked
with locked(Path(sys.argv[1])):
    print(os.getpid(), flush=True)
    sys.stdin.readline()
"""


class Terminal:
    """A command whose questions and talk are on a terminal."""

    def __init__(self, store: Path, *words: object) -> None:
        self.master, slave = pty.openpty()
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "--store", store, *map(str, words)],
            stdin=slave, stdout=subprocess.DEVNULL, stderr=slave,
            env=os.environ | {"COLUMNS": "240", "TERM": "xterm"},
        )  # fmt: skip
        os.close(slave)

    def until(self, text: str, times: int = 1) -> None:
        """Wait until a text was said so many times."""
        end = time.monotonic() + PATIENCE
        while self.said.count(text) < times:
            assert time.monotonic() < end, self.said
            assert self._read(), self.said

    def answer(self, text: str) -> None:
        os.write(self.master, f"{text}\n".encode())

    def end(self) -> int:
        """Return the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self.master], [], [], PATIENCE)[0]:
            return False
        try:
            content = os.read(self.master, 1 << 16)
        except OSError:  # the command has ended
            return False
        self.said += content.decode(errors="replace")
        return bool(content)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.master)


@pytest.fixture
def commands() -> Iterator[list[Terminal]]:
    begun: list[Terminal] = []
    yield begun
    for each in begun:
        each.close()


def sheet(folder: Path, name: str, slogan: str) -> Path:
    path = folder / f"{name}-{slogan}.csv"
    path.write_text(f"Nom,Type d'acteur,Slogan\n{name},association,{slogan}\n", "utf-8")
    return path


def slogans(store: Path) -> set[str]:
    snapshot = repository(read_settings(store)).current()
    assert snapshot is not None
    found = snapshot.store().quads_for_pattern(None, SLOGAN, None, DefaultGraph())
    return {quad.object.value for quad in found if isinstance(quad.object, Literal)}


@pytest.mark.parametrize(
    ("meanwhile", "questions"),
    [(("Beta", "Autre"), 1), (("Alpha", "Trois"), 2)],
    ids=["of another thing", "of the same thing"],
)
def test_a_person_who_reads_the_question_holds_nobody_up(
    run, bare: Path, tmp_path: Path, commands, meanwhile: tuple[str, str], questions: int
) -> None:
    assert run(bare, "import", sheet(tmp_path, "Alpha", "Un"), "--apply")[0] == 0
    first = Terminal(bare, "import", sheet(tmp_path, "Alpha", "Deux"), "--apply")
    commands.append(first)
    first.until("Publier ?")
    code, _, told = run(bare, "import", sheet(tmp_path, *meanwhile), "--apply")
    assert (code, "Publié" in told) == (0, True), told
    first.answer("y")
    if questions == 2:  # what would change is not what was agreed to
        first.until("Publier ?", 2)
        assert "Trois → Deux" in first.said
        first.answer("y")
    assert first.end() == 0
    assert first.said.count("Publier ?") == questions
    assert "Une autre publication est passée entre-temps" in first.said
    assert slogans(bare) == ({"Deux", "Autre"} if questions == 1 else {"Deux"})


def test_a_writer_waits_and_says_for_whom(bare: Path, tmp_path: Path, commands) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, bare], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        waiting = Terminal(bare, "import", sheet(tmp_path, "Alpha", "Un"), "--apply", "--yes")
        commands.append(waiting)
        waiting.until(f"Un autre processus (n° {pid}) écrit dans le magasin : on attend.")
        holder.communicate(b"\n", timeout=PATIENCE)
    assert waiting.end() == 0
    assert slogans(bare) == {"Un"}


def test_a_writer_waits_no_longer_than_it_is_set_to(run, bare: Path, tmp_path: Path) -> None:
    path = bare / "settings.yaml"
    path.write_text(path.read_text().replace("lock_seconds: 10.0", "lock_seconds: 0.1"))
    with locked(bare):
        code, _, told = run(bare, "import", sheet(tmp_path, "Alpha", "Un"), "--apply")
    assert code == 5
    assert f"Le processus n° {os.getpid()} écrit encore" in told
    assert slogans(bare) == set()


def test_imports_at_the_same_time_all_succeed(bare: Path, tmp_path: Path, commands) -> None:
    names = ("Alpha", "Beta", "Gamma")
    for name in names:
        commands.append(Terminal(bare, "import", sheet(tmp_path, name, name), "--apply", "--yes"))
    assert [each.end() for each in commands] == [0, 0, 0], [each.said for each in commands]
    assert slogans(bare) == set(names)
