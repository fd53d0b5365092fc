"""Rows: each kind of territory as the lines of its sheet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from territories.authorities import Authorities, authority_cells, listed
from territories.names import AUTHORITY_TYPES, linked, spelled_out
from territories.sources import Package, Record, Row, by_code, overseas, present

COMMUNE = "commune"
DEPARTEMENT = "département"
REGION = "région"
EPCI = "intercommunalité"
EPT = "établissement public territorial"
ARRONDISSEMENT = "arrondissement municipal"
OVERSEAS = "collectivité d'outre-mer"

METROPOLE_DU_GRAND_PARIS = "200054781"

CLIPPERTON = "989"  # an island without inhabitants or local authority

# Listed as communes, but no municipality: districts of the southern lands, the three
# kingdoms of Wallis and Futuna, Clipperton.
NOT_MUNICIPAL = ("984", "986", CLIPPERTON)

# The package seats the southern lands at Saint-Pierre (Saint-Pierre-et-Miquelon) instead of
# Saint-Pierre (La Réunion), and nobody sits on Clipperton.
SEAT_UNSOUND = {"984", CLIPPERTON}


def number(value: int | None) -> str:
    return "" if value is None else str(value)


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
