"""A private folder lives as long as whoever made it, in whatever namespace, and no longer."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from thc_graph.store.snapshots import claims
from thc_graph.store.snapshots.snapshot import tidy

HOLD = """
import sys
from pathlib import Path
from thc_graph.store.snapshots.claims import scratch
with scratch(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""
ELSEWHERE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


@contextmanager
def held(root: Path, *words: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    command = [*words, sys.executable, "-I", "-c", HOLD, str(root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_draft_of_another_container_is_left_alone(tmp_path: Path) -> None:
    """Its process is another one here, or none: 1, in a namespace of its own."""
    if subprocess.run([*ELSEWHERE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine makes no namespace of processes")
    with held(tmp_path, *ELSEWHERE) as (_, folder):
        number = folder.name.split("-")[1]
        assert int(number) < 10, "a number of that namespace"
        renamed = folder.rename(folder.with_name(folder.name.replace(number, "999999999", 1)))
        tidy(tmp_path, None)
        assert renamed.is_dir()


def test_a_draft_whose_process_was_killed_goes_though_its_number_lives(tmp_path: Path) -> None:
    with held(tmp_path) as (process, folder):
        assert not [*claims.abandoned(tmp_path)]
        process.kill()
        process.wait()
        folder.rename(folder.with_name(".draft-1-00"))  # a number that is always somebody's
        tidy(tmp_path, None)
        assert not [*(tmp_path / "snapshots").iterdir()]


def test_a_claim_is_not_published(vocabulary) -> None:
    assert not [*vocabulary.root.glob(f"snapshots/*/{claims.CLAIM}")]


def test_one_that_is_taken_for_dead_as_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch
) -> None:
    """Whoever tidies up between a folder's making and its claim removes it."""
    claim, taken = claims._claim, []

    def late(path: Path):
        if not taken:
            taken.append(path.parent)
            tidy(tmp_path, None)
        return claim(path)

    monkeypatch.setattr(claims, "_claim", late)
    with claims.scratch(tmp_path) as folder:
        assert folder.is_dir()
        assert folder not in taken
        assert not [*claims.abandoned(tmp_path)]
