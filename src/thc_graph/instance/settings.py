"""Settings: what an operator decides, kept in `settings.yaml` of the store's folder."""

from dataclasses import asdict, dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

from thc_graph.errors import SettingsError, StoreMissing, StoreUnsound
from thc_graph.store import files

FILE = "settings.yaml"


@dataclass(frozen=True)
class Settings:
    """Sizes are in bytes, durations in seconds; a budget is for one client in one minute.

    `trusted_proxies` are the networks whose word on a client's address is taken;
    `metrics_from` those that may read the measures.
    """

    store: Path
    base: str = "https://data.thc.example"
    title: str = "Territoires Hautement Citoyens"
    demonstration: bool = False
    publisher: str = ""
    director: str = ""  # directeur de la publication
    host: str = ""  # who lodges the service: the legal notice names all three
    contact: str = ""
    licence: str = ""  # IRI of the licence of the published data
    workers: int = 2
    seconds: float = 10.0
    memory: int = 1 << 30
    result_size: int = 10 << 20
    line_size: int = 8 << 10
    head_size: int = 32 << 10  # of a request: its address and all its headers
    body_size: int = 1 << 20
    slow_seconds: float = 20.0  # to send a request or take an answer; more as bytes pass
    client_seconds: float = 60.0
    client_failures: int = 30
    client_connections: int = 64  # open at once
    exports_size: int = 1 << 30  # of whole lists kept as files, on disk
    exports_memory: int = 2 << 30  # of the process that writes one
    refresh_seconds: float = 0.5
    remote: str = ""  # query address of an engine elsewhere, asked instead of the local store
    remote_update: str = ""  # its update address, to which publications are pushed
    drain_seconds: float = 2.0  # still answering, no longer ready, before a stop
    stop_seconds: float = 20.0  # for the answers in flight to end
    trusted_proxies: tuple[str, ...] = ()
    metrics_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    lock_seconds: float = 10.0  # a writer waits for another one
    update_seconds: float = 60.0  # of one write at the editors' door, reading included
    publish_seconds: float = 120.0  # … to check and publish it, once it is worked out
    update_size: int = 16 << 20  # of its body
    default_graph: str = "union"  # of all named graphs; "own" in conformance mode
    rules: str = "shapes"  # what is published conforms to them; "none" in conformance mode

    def __post_init__(self) -> None:
        if not self.base.startswith(("http://", "https://")) or self.base.endswith("/"):
            raise SettingsError(
                f"base is an http(s) address without a final slash, not {self.base!r}."
            )
        if self.workers < 1 or self.seconds <= 0 or self.lock_seconds < 0:
            raise SettingsError("workers and seconds are above zero, lock_seconds not below it.")
        if (self.default_graph, self.rules) not in (("union", "shapes"), ("own", "none")):
            raise SettingsError("default_graph and rules are union and shapes, or own and none.")
        for address in filter(None, (self.remote, self.remote_update)):
            _check_remote(address)
        if self.remote_update and not self.remote:
            raise SettingsError("remote_update needs remote, to know what the engine holds.")
        for network in (*self.trusted_proxies, *self.metrics_from):
            _check_network(network)

    @property
    def is_ruled(self) -> bool:
        """Whether shapes hold here; not so in conformance mode."""
        return self.rules == "shapes"

    def missing(self) -> list[str]:
        """Return the settings without which strangers are not served."""
        example = self.base == Settings.base
        named = {name: getattr(self, name) for name in ("publisher", "host", "contact")}
        return [*(["base"] if example else []), *(name for name in named if not named[name])]


def _check_remote(address: str) -> None:
    if not address.startswith(("http://", "https://")) or "@" in address:
        raise SettingsError(
            "remote and remote_update are http(s) addresses; user and password stand in the "
            "environment (THC_REMOTE_USER, THC_REMOTE_UPDATE_USER…), never in a file."
        )


def _check_network(network: str) -> None:
    try:
        ip_network(network)
    except ValueError as fault:
        raise SettingsError(f"{network!r} is not a network, for example 192.0.2.0/24.") from fault


@dataclass(frozen=True)
class Resources:
    """Where the product's own files stand: in the checkout, or in the installed package."""

    ontology_folder: Path
    shapes_folder: Path
    queries_folder: Path
    data_folder: Path


def resources() -> Resources:
    package = Path(__file__).parents[1]
    checkout = package.parents[1]
    root = checkout if (checkout / "shapes").is_dir() else package / "resources"
    return Resources(root / "ontology", root / "shapes", root / "queries", root / "data")


def read_settings(store: Path) -> Settings:
    """Read the settings of a store.

    Raises:
        StoreMissing: The folder has no settings file.
        StoreUnsound: The file is empty, is no text, or has gone from a store that has a history.
        SettingsError: A setting is unknown, or is not of its type.
    """
    try:
        given = yaml.safe_load((store / FILE).read_text("utf-8"))
    except FileNotFoundError:
        if (store / "history").is_dir():
            raise StoreUnsound(FILE, "missing") from None
        raise StoreMissing(str(store)) from None
    except UnicodeDecodeError as fault:
        raise StoreUnsound(FILE, "unreadable") from fault
    except yaml.YAMLError as fault:
        raise SettingsError(f"{FILE} is not YAML: {fault}") from fault
    if given is None:
        raise StoreUnsound(FILE, "empty")
    if not isinstance(given, dict):
        raise SettingsError(f"{FILE} holds lines of the form `name: value`.")
    return Settings(store=store, **{name: _checked(name, value) for name, value in given.items()})


def write_settings(settings: Settings) -> None:
    """Write all settings, the defaults included, so that an operator sees what there is."""
    given = asdict(settings)
    del given["store"]
    text = yaml.safe_dump(given, allow_unicode=True, sort_keys=False)
    settings.store.mkdir(parents=True, exist_ok=True)
    files.replace(settings.store / FILE, text.encode("utf-8"))


def _checked(name: str, value: Any) -> Any:
    types = {each.name: each.type for each in fields(Settings) if each.name != "store"}
    wanted = types.get(name)
    if wanted is None:
        raise SettingsError(f"{FILE}: there is no setting {name!r}.")
    if wanted is float and type(value) is int:
        return float(value)
    if wanted == tuple[str, ...] and _is_list_of_texts(value):
        return tuple(value)
    if type(value) is not wanted:
        raise SettingsError(f"{FILE}: {name} is not written as expected: {value!r}.")
    return value


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
