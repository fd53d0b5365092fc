"""The tables below are what a reader of data/territories relies on."""

import csv
import io
import json
import tarfile
from pathlib import Path

import pytest
import yaml

from build_territories import build, check
from territories.authorities import luhn
from territories.coordinates import located
from territories.names import linked, spelled_out
from territories.sources import Package, Place

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "data" / "territories"


def commune(code, nom, link, *, region, zone="metro", kind="commune-actuelle", **fields):
    record = {"code": code, "nom": nom, "region": region, "zone": zone, "type": kind, **fields}
    record.setdefault("departement", code[:2] if zone == "metro" else code[:3])
    return record if link is None else record | {"typeLiaison": link}


MULHOUSE = commune(
    "68224", "Mulhouse", 0, region="44", siren="216802249", population=104978,
    codesPostaux=["68100", "68200"], anciensCodes=["68999", "68998"],
)  # fmt: skip
LE_MANS = commune("72181", "Le Mans", 2, region="52", siren="217201813", population=146000)
PARIS = commune("75056", "Paris", 0, region="11", siren="217500016", population=2103778)
SAINT_OUEN = commune("93070", "Saint-Ouen-sur-Seine", 0, region="11", population=53615)
GUSTAVIA = commune("97701", "Saint-Barthélemy", None, region="977", zone="com", population=10660)
UA_POU = commune("98757", "Ua-Pou", None, region="987", zone="com", population=2000)
ALO = commune("98611", "Alo", None, region="986", zone="com", population=2400)
CLIPPERTON = commune("98901", "Île de Clipperton", None, region="989", zone="com")
DELEGATED = commune("68998", "Ancienne", 1, region="44", kind="commune-deleguee", chefLieu="68224")
PARIS_4 = commune(
    "75104", "Paris 4e Arrondissement", 0, region="11", population=28000,
    kind="arrondissement-municipal", commune="75056", codesPostaux=["75004"],
)  # fmt: skip


def departement(code, nom, region, seat, link=2, *, zone="metro"):
    return {
        "code": code, "nom": nom, "region": region, "chefLieu": seat, "typeLiaison": link,
        "zone": zone,
    }  # fmt: skip


def group(code, nom, kind, *members):
    members = [{"code": member["code"]} for member in members]
    return {"code": code, "nom": nom, "type": kind, "populationMunicipale": 9, "membres": members}


OVERSEAS = [
    departement("977", "Saint-Barthélemy", "977", "97701", 0, zone="com"),
    departement(
        "984", "Terres australes et antarctiques françaises", "984", "97502", 0, zone="com"
    ),
    departement("987", "Polynésie française", "987", "98735", 0, zone="com"),
    departement("989", "Île de Clipperton", "989", "98901", 0, zone="com"),
]

TINY = {
    # in no order: the sheets are sorted by code
    "communes": [
        PARIS_4, UA_POU, PARIS, MULHOUSE, DELEGATED, LE_MANS, SAINT_OUEN, GUSTAVIA, ALO, CLIPPERTON,
    ],
    "departements": [
        departement("72", "Sarthe", "52", "72181", 3),
        departement("68", "Haut-Rhin", "44", "68066"),
        departement("75", "Paris", "11", "75056", 0),
        *OVERSEAS,
    ],
    "regions": [departement("44", "Grand Est", None, "67482"), *OVERSEAS],
    "epci": [
        group("200066009", "CA Mulhouse Alsace Agglomération", "CA", MULHOUSE),
        group("200054781", "Métropole du Grand Paris", "METRO", PARIS, SAINT_OUEN),
    ],
    "ept": [group("200057867", "Plaine Commune", "EPT", SAINT_OUEN)],
}  # fmt: skip

PLACES = [Place(2991214, "Mulhouse", "44", 111430, 47.75205, 7.32866)]


def write_folder(path: Path) -> Path:
    (path / "data").mkdir(parents=True)
    for name, records in TINY.items():
        (path / "data" / f"{name}.json").write_text(json.dumps(records), encoding="utf-8")
    return path


def write_archive(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, records in TINY.items():
            content = json.dumps(records).encode()
            member = tarfile.TarInfo(f"package/data/{name}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("territories")
    build(write_folder(folder / "package"), folder / "out", PLACES)
    return folder / "out"


@pytest.mark.parametrize(
    ("name", "link", "expected"),
    [
        ("Mulhouse", 0, "de Mulhouse"),
        ("Abc", 1, "d'Abc"),
        ("Le Mans", 2, "du Mans"),
        ("La Rochelle", 3, "de La Rochelle"),
        ("Les Abymes", 4, "des Abymes"),
        ("L'Haÿ-les-Roses", 5, "de L'Haÿ-les-Roses"),
        ("Aux Marais", 6, "d'Aux Marais"),
        ("Los Masos", 8, "de Los Masos"),
        ("Haut-Rhin", 2, "du Haut-Rhin"),
        ("Drôme", 3, "de la Drôme"),
        ("Vosges", 4, "des Vosges"),
        ("Ain", 5, "de l'Ain"),
        ("Ua-Pou", None, "d'Ua-Pou"),
        ("Hienghène", None, "de Hienghène"),
        ("Le Mont-Dore", None, "du Mont-Dore"),
        ("L'Île-des-Pins", None, "de L'Île-des-Pins"),
    ],
)
def test_a_name_behind_its_link_word(name: str, link: int | None, expected: str) -> None:
    assert linked(name, link) == expected


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("CC du Pays de Gex", "CC", "Communauté de communes du Pays de Gex"),
        ("CU d'Arras", "CU", "Communauté urbaine d'Arras"),
        ("Metz Métropole", "METRO", "Metz Métropole"),
        ("CCVal", "CC", "CCVal"),
    ],
)
def test_an_epci_s_name_spelled_out(name: str, kind: str, expected: str) -> None:
    assert spelled_out(name, kind) == expected


@pytest.mark.parametrize(
    ("siren", "expected"),
    [("216802249", True), ("216802248", False), ("21680224", False), ("217500016", True)],
)
def test_check_digit(siren: str, expected: bool) -> None:  # noqa: FBT001
    assert luhn(siren) is expected


@pytest.mark.parametrize(
    ("sheet", "key", "expected"),
    [
        (
            "communes",
            "68224",
            {
                "Type de territoire": "commune",
                "Nom": "Mulhouse",
                "Département": "68",
                "Région": "44",
                "EPCI": "200066009",
                "Population": "104978",
                "Codes postaux": "68100 | 68200",
                "Anciens codes": "68998 | 68999",
                "SIREN": "216802249",
                "Collectivité": "Commune de Mulhouse",
                "Type de collectivité": "Commune",
            },
        ),
        ("communes", "72181", {"Collectivité": "Commune du Mans", "EPCI": ""}),
        ("communes", "75056", {"Collectivité": "", "SIREN": "", "EPCI": "200054781"}),
        ("communes", "93070", {"EPCI": "200054781 | 200057867"}),
        ("communes", "97701", {"Collectivité": "", "Département": "", "Région": ""}),
        ("communes", "98757", {"Collectivité": "Commune d'Ua-Pou", "SIREN": "", "Région": ""}),
        ("communes", "98611", {"Collectivité": ""}),
        ("communes", "98901", {"Collectivité": "", "Population": ""}),
        (
            "departements",
            "72",
            {
                "Région": "52",
                "Collectivité": "Département de la Sarthe",
                "Type de collectivité": "Département",
                "SIREN": "",
            },
        ),
        ("departements", "68", {"Collectivité": "", "SIREN": "", "Population": "104978"}),
        ("departements", "75", {"Collectivité": ""}),
        (
            "regions",
            "44",
            {
                "Collectivité": "Région Grand Est",
                "Type de collectivité": "Région",
                "SIREN": "",
            },
        ),
        (
            "collectivites-outre-mer",
            "987",
            {
                "Type de territoire": "collectivité d'outre-mer",
                "Collectivité": "Polynésie française",
            },
        ),
        ("collectivites-outre-mer", "977", {"Collectivité": ""}),
        ("collectivites-outre-mer", "989", {"Collectivité": "", "Population": ""}),
        (
            "arrondissements-municipaux",
            "75104",
            {"Commune de rattachement": "75056", "Département": "75", "Codes postaux": "75004"},
        ),
        (
            "coordonnees",
            "68224",
            {"Latitude": "47.75205", "Longitude": "7.32866", "GeoNames": "2991214"},
        ),
        ("chefs-lieux", "68", {"Type de territoire": "département", "Chef-lieu": "68066"}),
        ("chefs-lieux", "977", {"Type de territoire": "collectivité d'outre-mer"}),
    ],
)  # fmt: skip
def test_a_row(built: Path, sheet: str, key: str, expected: dict[str, str]) -> None:
    (row,) = [row for row in rows(built / f"{sheet}.csv") if row["Code INSEE"] == key]
    assert {header: row.get(header, "") for header in expected} == expected


@pytest.mark.parametrize(
    ("sheet", "codes"),
    [
        ("communes", "68224 72181 75056 93070 97701 98611 98757 98901"),
        ("departements", "68 72 75"),
        ("regions", "44"),
        ("collectivites-outre-mer", "977 984 987 989"),
        ("arrondissements-municipaux", "75104"),
        ("chefs-lieux", "68 72 75 977 987 44"),
    ],
)
def test_what_is_listed_and_in_which_order(built: Path, sheet: str, codes: str) -> None:
    assert [row["Code INSEE"] for row in rows(built / f"{sheet}.csv")] == codes.split()


def test_groups(built: Path) -> None:
    paris, mulhouse = rows(built / "epci.csv")
    assert (paris["Département"], paris["Région"]) == ("", "11"), "it straddles 75 and 93"
    assert mulhouse["Nom"] == "CA Mulhouse Alsace Agglomération"
    assert mulhouse["Collectivité"] == "Communauté d'agglomération Mulhouse Alsace Agglomération"
    assert mulhouse["Type de collectivité"] == "Communauté d'agglomération"
    (plaine_commune,) = rows(built / "ept.csv")
    assert plaine_commune["EPCI"] == "200054781"
    assert plaine_commune["Type de territoire"] == "établissement public territorial"


@pytest.mark.parametrize(
    ("siren", "runs"),
    [
        ("200094332", "departement/67 | departement/68"),
        ("217500016", "commune/75056 | departement/75"),
    ],
)
def test_an_authority_of_several_spaces(built: Path, siren: str, runs: str) -> None:
    (row,) = [row for row in rows(built / "collectivites.csv") if row["SIREN"] == siren]
    assert row["Administre"] == runs


def test_an_authority_of_several_spaces_has_a_siren_or_an_identifier(built: Path) -> None:
    authorities = rows(built / "collectivites.csv")
    assert all(bool(row["SIREN"]) != bool(row["Identifiant"]) for row in authorities)


@pytest.mark.parametrize("sheet", ["departements", "regions"])
def test_published_departements_and_regions_have_no_siren_in_their_row(sheet: str) -> None:
    published = rows(PUBLISHED / f"{sheet}.csv")
    shared = {
        space
        for row in rows(PUBLISHED / "collectivites.csv")
        for space in row["Administre"].split(" | ")
    }
    kind = sheet.removesuffix("s")
    assert not any(row.get("SIREN") for row in published)
    for row in published:
        in_its_row = bool(row["Collectivité"] and row["Type de collectivité"])
        assert in_its_row != (f"{kind}/{row['Code INSEE']}" in shared)


def test_archive_and_folder_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    build(write_archive(tmp_path / "package.tgz"), tmp_path / "out", PLACES)
    for sheet in built.iterdir():
        assert (tmp_path / "out" / sheet.name).read_bytes() == sheet.read_bytes()


def test_a_wrong_siren_stops_the_build() -> None:
    with pytest.raises(ValueError, match="216802248"):
        check([{"SIREN": "216802248", "Collectivité": "Commune de Mulhouse"}])


def village(code: str, nom: str, population: int):
    return commune(code, nom, 0, region="84", population=population)


def place(name: str, population: int, latitude: float = 45.0, region: str = "84"):
    return Place(int(latitude * 100), name, region, population, latitude, 5.0)


A_TOWN = village("26001", "Bourg", 30_000)
A_VILLAGE = village("26002", "Saillans", 1_300)


@pytest.mark.parametrize(
    ("communes", "places", "expected"),
    [
        ([A_TOWN], [place("Bourg", 29_000)], {"26001"}),
        ([A_TOWN], [place("Bourg", 11_000)], {"26001"}),  # a town may have merged with others
        ([A_TOWN], [place("Bourg", 9_000)], set()),
        ([A_TOWN], [place("Bourg", 29_000, region="93")], set()),
        ([A_TOWN], [place("Bourg", 29_000), place("Bourg", 600)], set()),
        ([A_TOWN, village("38001", "Bourg", 500)], [place("Bourg", 29_000)], set()),
        ([village("26003", "Saint-Étienne", 9_000)], [place("St Etienne", 9_000)], {"26003"}),
        ([A_VILLAGE], [place("Saillans", 1_300)], set()),  # alone
        (
            [A_TOWN, A_VILLAGE],
            [place("Bourg", 30_000), place("Saillans", 1_300, 45.1)],
            {"26001", "26002"},
        ),
        ([A_TOWN, A_VILLAGE], [place("Bourg", 30_000), place("Saillans", 1_300, 45.3)], {"26001"}),
        ([A_TOWN, A_VILLAGE], [place("Bourg", 30_000), place("Saillans", 600, 45.1)], {"26001"}),
    ],
)
def test_only_sure_places_are_joined(communes, places, expected) -> None:
    package = Package(communes, [], [], [group("200000001", "CC", "CC", *communes)], [])
    assert set(located(package, places)) == expected


def test_published_description_lists_the_published_files() -> None:
    described = yaml.safe_load((PUBLISHED / "dataset.yaml").read_text(encoding="utf-8"))
    names = [entry["file"] for entry in described["files"]]
    assert sorted(names) == sorted(path.name for path in PUBLISHED.glob("*.csv"))
    assert [entry["order"] for entry in described["files"]] == list(range(1, len(names) + 1))


@pytest.mark.parametrize(
    ("sheet", "count"),
    [("communes", 34_969), ("epci", 1_255), ("ept", 11), ("departements", 101), ("regions", 18)],
)
def test_published_counts(sheet: str, count: int) -> None:
    assert len(rows(PUBLISHED / f"{sheet}.csv")) == count


def test_published_references_resolve() -> None:
    communes = rows(PUBLISHED / "communes.csv")
    departements = {row["Code INSEE"] for row in rows(PUBLISHED / "departements.csv")}
    regions = {row["Code INSEE"] for row in rows(PUBLISHED / "regions.csv")}
    groups = {row["SIREN"] for name in ("epci", "ept") for row in rows(PUBLISHED / f"{name}.csv")}
    codes = {row["Code INSEE"] for row in communes}
    former = [code for row in communes for code in row["Anciens codes"].split(" | ") if code]
    assert {row["Département"] for row in communes} - {""} == departements
    assert {row["Région"] for row in communes} - {""} == regions
    assert {siren for row in communes for siren in row["EPCI"].split(" | ")} - {""} == groups
    assert len(former) == len(set(former))
    assert not codes & set(former)
    assert {row["Code INSEE"] for row in rows(PUBLISHED / "coordonnees.csv")} <= codes
    assert {row["Chef-lieu"] for row in rows(PUBLISHED / "chefs-lieux.csv")} <= codes


def test_published_sirens_are_of_one_authority_each() -> None:
    sheets = [rows(path) for path in sorted(PUBLISHED.glob("*.csv"))]
    sirens = [row["SIREN"] for sheet in sheets for row in sheet if row.get("SIREN")]
    assert all(luhn(siren) for siren in sirens)
    assert len(sirens) == len(set(sirens))
