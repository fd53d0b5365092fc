"""Whom a request is counted for: only a declared proxy may speak for another."""

from types import SimpleNamespace

import pytest
from starlette.requests import HTTPConnection

from thc_graph.instance.settings import Settings
from thc_graph.web.http.clients import address_of, client_of, may_read_metrics, shortened


def connection(peer: str | None, trusted: tuple[str, ...] = (), **headers: str) -> HTTPConnection:
    settings = Settings(store=None, trusted_proxies=trusted)  # type: ignore[arg-type]
    app = SimpleNamespace(state=SimpleNamespace(service=SimpleNamespace(settings=settings)))
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = (peer, 1) if peer else None
    return HTTPConnection({"type": "http", "app": app, "client": client, "headers": raw})


PROXY = ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("peer", "trusted", "forwarded", "expected"),
    [
        ("203.0.113.7", (), None, "203.0.113.7"),
        ("203.0.113.7", (), "198.51.100.1", "203.0.113.7"),
        ("203.0.113.7", PROXY, "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", PROXY, "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", PROXY, "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", PROXY, "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", PROXY, "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", PROXY, "", "10.0.0.1"),
        ("10.0.0.1", PROXY, "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("::1", PROXY, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", PROXY, "198.51.100.1", "198.51.100.1"),
        (None, PROXY, "198.51.100.1", ""),
        ("testclient", PROXY, None, ""),
    ],
)
def test_client_of(
    peer: str | None, trusted: tuple[str, ...], forwarded: str | None, expected: str
) -> None:
    headers = {} if forwarded is None else {"x_forwarded_for": forwarded}
    assert client_of(connection(peer, trusted, **headers)) == expected


@pytest.mark.parametrize(
    ("peer", "trusted", "headers", "expected"),
    [
        ("127.0.0.1", (), {}, True),
        ("::1", (), {}, True),
        ("203.0.113.7", (), {}, False),
        ("127.0.0.1", (), {"x_forwarded_for": "127.0.0.1"}, False),
        ("127.0.0.1", (), {"via": "1.1 proxy"}, False),
        ("127.0.0.1", ("127.0.0.1/32",), {"x_forwarded_for": "203.0.113.7"}, False),
        ("127.0.0.1", ("127.0.0.1/32",), {"x_forwarded_for": "127.0.0.1"}, True),
        (None, (), {}, False),
    ],
)
def test_who_may_read_the_measures(
    peer: str | None, trusted: tuple[str, ...], headers: dict[str, str], *, expected: bool
) -> None:
    assert may_read_metrics(connection(peer, trusted, **headers)) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
    ],
)
def test_an_address_in_a_log_is_no_one_s(address: str, expected: str) -> None:
    assert shortened(address_of(connection(address))) == expected
