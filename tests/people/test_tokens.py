"""Tokens: shown once, never kept, gone at once when revoked."""

from pathlib import Path

import pytest

from thc_graph.errors import StoreError
from thc_graph.people import tokens
from thc_graph.store import files
from thc_graph.store.writes import permissions


def test_only_a_hash_is_kept_and_only_for_its_owner(tmp_path: Path) -> None:
    secret = tokens.create(tmp_path, "Ville de Mulhouse", "write")
    path = tmp_path / tokens.FILE
    assert secret not in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    found = tokens.bearer(tmp_path, secret)
    assert found is not None
    assert (found.name, found.role) == ("Ville de Mulhouse", "write")


def test_the_file_stays_private_whoever_writes_it_again(tmp_path: Path) -> None:
    tokens.create(tmp_path, "Ville", "write")
    path = tmp_path / tokens.FILE
    files.replace(path, path.read_bytes())  # as a purge does
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("guess", ["", "thc_", "é", "thc_" + "a" * 43])
def test_a_guess_opens_nothing(guess: str, tmp_path: Path) -> None:
    assert tokens.bearer(tmp_path, guess) is None
    tokens.create(tmp_path, "Ville", "admin")
    assert tokens.bearer(tmp_path, guess) is None


def test_a_revoked_token_opens_nothing(tmp_path: Path) -> None:
    first, second = (tokens.create(tmp_path, name, "read") for name in ("un", "deux"))
    assert tokens.revoke(tmp_path, "un")
    assert not tokens.revoke(tmp_path, "un")
    assert tokens.bearer(tmp_path, first) is None
    assert tokens.bearer(tmp_path, second) is not None
    assert [each.name for each in tokens.listed(tmp_path)] == ["deux"]


def test_a_name_signs_for_one_token(tmp_path: Path) -> None:
    tokens.create(tmp_path, "un", "read")
    with pytest.raises(StoreError):
        tokens.create(tmp_path, "un", "admin")


@pytest.mark.parametrize(
    ("role", "may"),
    [("read", (True, False, False)), ("write", (True, True, False)), ("admin", (True, True, True))],
)
def test_each_role_may_what_those_before_it_may(
    role: permissions.Role, may: tuple[bool, ...], tmp_path: Path
) -> None:
    token = tokens.bearer(tmp_path, tokens.create(tmp_path, "un", role))
    assert token is not None
    assert tuple(token.may(each) for each in tokens.ROLES) == may
