"""Clients: whose request this is, whoever relays it.

A proxy tells the address it saw at the end of `X-Forwarded-For`. Its word counts only
where it comes from a network of `trusted_proxies`: anyone else can write that header.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import HTTPConnection

from thc_graph.instance.settings import Settings

Address = IPv4Address | IPv6Address

LONGEST: Final = 100  # characters; none is remembered that is longer than an address
RELAYED: Final = ("x-forwarded-for", "forwarded", "via", "x-real-ip")


def client_of(connection: HTTPConnection) -> str:
    """Return the client a quota is counted for: an IPv4 address, or an IPv6 /64.

    Whoever has one IPv6 address has the 2^64 of its network.
    """
    return _network_of(address_of(connection))


def client_at(host: str) -> str:
    """Return the client that connects from a host, whoever it relays."""
    return _network_of(address_at(host))


def _network_of(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address or "")


def address_of(connection: HTTPConnection) -> Address | None:
    """Return the client's address: the nearest one that is not a trusted proxy's."""
    trusted = _settings(connection).trusted_proxies
    address = _peer(connection)
    told = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    while address is not None and told and is_within(address, trusted):
        nearer = _told(told.pop())
        if nearer is None:
            break
        address = nearer
    return address


def is_trusted(connection: HTTPConnection) -> bool:
    """Tell whether a trusted proxy sent the request."""
    return is_within(_peer(connection), _settings(connection).trusted_proxies)


def may_read_metrics(connection: HTTPConnection) -> bool:
    """Tell whether the measures are for this client.

    Behind a proxy that was not declared every request comes from the proxy's own
    address, often this machine's: what bears the mark of a relay is refused then.
    """
    if not is_trusted(connection) and any(name in connection.headers for name in RELAYED):
        return False
    return is_within(address_of(connection), _settings(connection).metrics_from)


def is_proxy(host: str, settings: Settings) -> bool:
    return is_within(address_at(host), settings.trusted_proxies)


def is_within(address: Address | None, networks: Iterable[str]) -> bool:
    return address is not None and any(address in _network(each) for each in networks)


@lru_cache(maxsize=4096)
def shortened(address: Address | None) -> str:
    """Return an address without the part that is a person's: /24 of IPv4, /48 of IPv6."""
    if address is None:
        return ""
    length = 24 if isinstance(address, IPv4Address) else 48
    return str(ip_network((address, length), strict=False).network_address)


def _settings(connection: HTTPConnection) -> Settings:
    settings: Settings = connection.app.state.service.settings
    return settings


def _peer(connection: HTTPConnection) -> Address | None:
    return address_at(connection.client.host) if connection.client else None


def _told(text: str) -> Address | None:
    return address_at(text) if len(text) < LONGEST else None


@lru_cache(maxsize=4096)
def address_at(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
