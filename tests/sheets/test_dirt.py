"""The dirt of real sheets, kind by kind: what is read, and what is told.

Each line gives a sheet as CSV, the objects then stated for a property (None: no
matter), and what is told, as « cell severity code ».
"""

import csv
import io
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import NamedTuple

import openpyxl
import pytest
from pyoxigraph import NamedNode, Store

from thc_graph.names.lexicon import Lexicon
from thc_graph.names.names import Names
from thc_graph.names.published import departement
from thc_graph.schema.model import Schema
from thc_graph.sheets.imports.conversion import convert_all
from thc_graph.sheets.imports.datasets import Dataset, Input
from thc_graph.sheets.imports.proposal import Part
from thc_graph.sheets.imports.recognition import recognise
from thc_graph.sheets.problems import Problem, Severity
from thc_graph.sheets.workbooks.annotation import annotate
from thc_graph.store.history.commits import Source

BASE = "https://data.thc.example"
LONGEST = 32_000  # characters in a cell of a workbook

TERRITORY = "Type de territoire;Code INSEE;Nom\n"
GAP = "Nom;Objectif;Territoire;Projet ou engagement lié;Composition;Créé le\n"
COMMITMENT = "Plan d'action;Réf.;Engagement;Collectivité"
ONE = "Plan d’Exemple;S9;Agir;Ville d’Exemple"
ACTOR = "Nom;Nature;Type d'acteur"
AID = "Aide;organisation;association"
FOLLOW = "Réf. engagement;Date;"
CONCEPT = "Schéma;Code;Libellé;Définition\n"


class Dirt(NamedTuple):
    sheet: str
    property: str
    values: list[str] | None
    told: list[str]


def commitment(heading: str, cell: str, property_: str, values: list[str], *told: str) -> Dirt:
    return Dirt(f"{COMMITMENT};{heading}\n{ONE};{cell}\n", property_, values, list(told))


def actor(heading: str, cell: str, property_: str, values: list[str], *told: str) -> Dirt:
    return Dirt(f"{ACTOR};{heading}\n{AID};{cell}\n", property_, values, list(told))


def gap(place: str, values: list[str], *told: str, more: str = "", cell: str = "") -> Dirt:
    rows = f"{GAP[:-1]}{more}\nEssai;But;{place};engagement/plan-exemple-s1;citoyens;2015{cell}\n"
    return Dirt(rows, "territoire", values, list(told))


def progress(heading: str, cell: str, property_: str, values: list[str], *told: str) -> Dirt:
    rows = f"{FOLLOW}{heading}\nplan-exemple-s1;2020;{cell}\n"
    return Dirt(rows, property_, values, list(told))


def point(latitude: str, longitude: str, values: list[str], *told: str) -> Dirt:
    sheet = f"{TERRITORY[:-1]};Latitude;Longitude\ncommune;68224;Mulhouse;{latitude};{longitude}\n"
    return Dirt(sheet, "wgs84_pos#lat", values, list(told))


MULHOUSE, AJACCIO = "commune/68224", "commune/2A004"
DIRT = {
    "D1 own code": Dirt(
        TERRITORY + "commune;1001;L’Abergement-Clémenciat\n", "codeINSEE", ["01001"],
        ["B2 note padded"],
    ),
    "D1 reference": gap("1001", ["commune/01001"], "C2 note padded"),
    "D2 decimals": gap("68224.0", [MULHOUSE], "C2 note cleaned"),
    "D2 exponent": gap("6.8224E4", [MULHOUSE], "C2 note cleaned"),
    "D2 spaces": gap("68 224", [MULHOUSE], "C2 note cleaned"),
    "D2 apostrophe": gap("'68224", [MULHOUSE], "C2 note cleaned"),
    "D2 own code": Dirt(
        TERRITORY + "commune;68224.0;Mulhouse\n", "codeINSEE", ["68224"], ["B2 note cleaned"]
    ),
    "D2 digits lost": Dirt(
        TERRITORY + "commune;6.8E4;Mulhouse\n", "codeINSEE", [], ["B2 error lost-digits"]
    ),
    "D3 lower case": gap("2a004", [AJACCIO], "C2 note cleaned"),
    "D3 old Corsican": gap("20004", [AJACCIO], "C2 warning former-code"),
    "D4 former code": gap("68048", [MULHOUSE], "C2 warning former-code"),
    "D5 code alone": gap("44", [], "C2 error ambiguous-reference"),
    "D6 contradiction": Dirt(
        TERRITORY + "commune;68224;Colmar\n", "codeINSEE", None, ["B2 error contradiction"]
    ),
    "D7 homonym": gap("Saillans", [], "C2 error ambiguous-reference"),
    "D7 in brackets": gap("Saillans (26)", ["commune/26289"]),
    "D7 by name": gap("Saillans (Drôme)", ["commune/26289"]),
    "D7 by column": gap(
        "Saillans", ["commune/26289"], "G1 note ignored-column", more=";Département", cell=";26"
    ),
    "D8 renamed": gap("L’Abergement", [], "C2 error unknown-reference"),
    "D8 near": gap("Mulouse", [], "C2 error unknown-reference"),
    "D9 district": gap(
        "75104", ["arrondissement-municipal/75104"], "C2 warning district"
    ),
    "D9 unknown value": gap("23", [], "C2 error unknown-reference"),
    "D10 spaces": actor("SIREN", "216 802 249", "siren", ["216802249"], "D2 note cleaned"),
    "D10 false": actor("SIREN", "216802248", "siren", [], "D2 error bad-siren"),
    "D10 SIRET": actor("SIRET", "21680224900013", "siren", ["216802249"], "D2 note siret"),
    "D11 a pays named as a commune": Dirt(
        TERRITORY + "pays;;Mulhouse\n", "label", ["Mulhouse"], ["ligne 2 warning same-name"]
    ),
    "D12 titles": Dirt(
        "🏛 Suivi;;;\n;;;\n" + COMMITMENT + "\n" + ONE + "\n", "label", ["Agir"],
        ["ligne 1 note title-row"],
    ),
    "D13 heading": commitment('"Échéance\n(année cible) *"', "2026", "echeance", ["2026"]),
    "D14 pictograph": actor(
        "Description", "x y", "label", ["Aide"],
    ),
    "D14 in a label": Dirt(
        f"{ACTOR}\n🚌 Mobilités;organisation;association\n", "altLabel", ["🚌 Mobilités"],
        ["A2 note cleaned"],
    ),
    "D14 in a reference": progress("Statut", "✅ Réalisé", "statut", ["realise"]),
    "D16 day": commitment("Échéance", "3/5/2026", "echeance", ["2026-05-03"]),
    "D16 short year": commitment("Échéance", "3/5/26", "echeance", ["2026-05-03"]),
    "D16 month": commitment("Échéance", "2015-03", "echeance", ["2015-03"]),
    "D16 range": commitment(
        "Échéance", "2026-2027", "echeance", ["2027"], "E2 warning period"
    ),
    "D16 its other end": commitment(
        "Échéance", "2026-2027", "debut", ["2026"], "E2 warning period"
    ),
    "D16 quarter": commitment(
        "Échéance", "2026 T2", "echeance", ["2026-06"], "E2 warning period"
    ),
    "D16 free text": commitment(
        "Échéance", "Chaque printemps", "echeance", [], "E2 error bad-date"
    ),
    "D17 no date": commitment("Échéance", "NON LANCÉE", "echeance", [], "E2 note no-date"),
    "D18 in a comment": Dirt(
        "Réf. engagement;Commentaire\nplan-exemple-s1;Le 8 janvier 2021 - Projet de loi\n",
        "terms/date", ["2021-01-08"], ["B2 note date-in-text"],
    ),
    "D19 month first": commitment(
        "Échéance", "01/25/2016", "echeance", [], "E2 error month-first"
    ),
    "D19 serial": commitment("Échéance", "42370", "echeance", [], "E2 error serial-date"),
    "D20 thousands": commitment("Budget prévu (€)", "1 250 000,50 €", "budget", ["1250000.5"]),
    "D20 unit": commitment("Budget prévu (€)", "250 k€", "budget", ["250000"], "E2 warning unit"),
    "D20 million": commitment("Budget prévu (€)", "3M€", "budget", ["3000000"], "E2 warning unit"),
    "D21 sign": progress("Progression (%)", "50 %", "progression", ["50"]),
    "D21 fraction": progress(
        "Progression (%)", "0,5", "progression", ["50"], "C2 warning fraction"
    ),
    "D21 over": progress("Progression (%)", "150", "progression", [], "C2 error bad-percent"),
    "D22 degrees": point(
        "47° 44' 56\"\" N".join('""'), "7,33", ["47.748889"], "D2 note degrees"
    ),
    "D22 unknown": point("0", "0", [], "D2 warning null-island"),
    "D22 centroid": point("46.227638", "2.213749", [], "D2 warning centroid"),
    "D22 swapped": point("7,33", "47,74", None, "D2 error swapped"),
    "D24 twice encoded": actor(
        "Description", "CommunautÃ©", "description", ["Communauté"], "D2 warning mojibake"
    ),
    "D24 lost letter": actor(
        "Description", "Ch\ufffdlons", "description", [], "D2 error lost-letter"
    ),
    "D25 NFD": actor("Description", "gagne\u0301", "description", ["gagné"], "D2 note composed"),
    "D26 soft hyphens": actor(
        "Description", "in\u00adtel\u00adli\u00adgence", "description", ["intelligence"],
        "D2 note invisible",
    ),
    "D27 for matching only": gap("MULHOUSE", [MULHOUSE]),
    "D28 colon": Dirt(
        f"{ACTOR}\n Météo intérieure : ;organisation;association\n", "label",
        ["Météo intérieure"], ["A2 note cleaned"],
    ),
    "D29 Markdown": Dirt(
        f"{ACTOR}\n**Les statues**;organisation;association\n", "label", ["Les statues"],
        ["A2 note cleaned"],
    ),
    "D29 HTML": actor(
        "Description", "<b>Bon</b><script>x</script>", "description", ["Bon"], "D2 note markup"
    ),
    "D30 mail": Dirt(
        "Nature;Collectivité;SIREN;Type de collectivité;Courriel de contact\n"
        "collectivité;Mulhouse;216802249;commune;mailto: hr@make.org.\n",
        "mbox", ["mailto:hr@make.org"], ["E2 note cleaned"],
    ),
    "D31 no scheme": actor(
        "Site web", "www.exemple.fr", "homepage", ["https://www.exemple.fr"],
        "D2 warning scheme-added",
    ),
    "D32 placeholder": Dirt(
        f"{ACTOR}\nContribution multiBàO;organisation;association\n", "label", [],
        ["A2 error placeholder"],
    ),
    "D33 spelt otherwise": progress("Statut", "ABANDONNÉE", "statut", ["abandonne"]),
    "D33 unknown": progress("Statut", "JOKER", "statut", [], "C2 error unknown-concept"),
    "D34 identical": Dirt(
        f"{ACTOR}\n{AID}\n{AID}\n", "label", ["Aide"], ["ligne 3 note merged"]
    ),
    "D25 same once composed": Dirt(
        f"{ACTOR}\nGagne\u0301;organisation;association\nGagn\u00e9;organisation;association\n",
        "label", ["Gagné"], ["A2 note composed", "ligne 3 warning merged"],
    ),
    "D34 different": Dirt(
        f"{ACTOR}\n{AID}\nAide;organisation;entreprise\n", "label", ["Aide"],
        ["ligne 3 error duplicate-key"],
    ),
    "D35 in English": progress("Statut", "Completed", "statut", ["realise"]),
    "D36 commas": gap("Mulhouse, Colmar", ["commune/68066", MULHOUSE]),
    "D36 all": gap("Toutes", [], "C2 error unknown-reference"),
    "D39 two people": Dirt(
        "Personne;Rôle;Organisation;Début\nMarie D., Paul P.;Président;Ville d’Exemple;2020\n",
        "member", [], ["A2 error unknown-reference"],
    ),
    "D37 formula": actor("Description", "=cmd|x", "description", [], "D2 error formula"),
    "D37 error": commitment("Échéance", "#REF!", "echeance", [], "E2 error formula"),
    "D40 identifier": Dirt(
        f"Identifiant;{ACTOR}\nParlement_&_Citoyens;{AID}\n", "hiddenLabel",
        ["Parlement_&_Citoyens"], ["A2 note alias"],
    ),
    "D41 nothing": actor("Description", "néant", "description", []),
    "D41 no": actor("Description", "non", "description", []),
    "D41 ditto": actor("Description", "idem", "description", [], "D2 error ditto"),
    "D42 line ends": actor(
        "Description", '"Un\r\ndeux\rtrois"', "description", ["Un\ndeux\ntrois"]
    ),
    "a row without a name": Dirt(
        f"{ACTOR};Site web\n;organisation;association;pas une adresse\n", "label", [],
        ["ligne 2 error missing-key", "D2 error bad-link"],
    ),
    "D42 long": actor("Description", "x" * 40_000, "description", ["x" * 40_000]),
    "a total": Dirt(f"{ACTOR}\n{AID}\nTOTAL;;\n", "label", ["Aide"], ["ligne 3 note total-row"]),
    "headings again": Dirt(
        f"{ACTOR}\n{AID}\n{ACTOR}\n", "label", ["Aide"], ["ligne 3 note repeated-header"]
    ),
    "an example": Dirt(
        f"{ACTOR}\nExemple : Atelier;organisation;association\n{AID}\n", "label", ["Aide"],
        ["ligne 2 note example-row"],
    ),
    "two columns of one property": Dirt(
        f"{ACTOR};Site web;URL\n{AID};https://a.fr;https://b.fr\n", "homepage", ["https://a.fr"],
        ["E1 note unread-column"],
    ),
    "the report's own column": actor("Rapport", "à revoir", "label", ["Aide"]),
}  # fmt: skip


def told(problems: list[Problem]) -> list[str]:
    return [f"{str(p.cell).partition('!')[2]} {p.severity} {p.code}" for p in problems]


@pytest.mark.parametrize("dirt", DIRT.values(), ids=DIRT.keys())
def test_each_kind(read, tmp_path: Path, dirt: Dirt) -> None:
    path = tmp_path / "feuille.csv"
    path.write_text(dirt.sheet, "utf-8")
    (found,), _ = read(path)
    assert told(found.problems) == dirt.told
    if dirt.values is not None:
        assert values(found.quads, dirt.property) == dirt.values


def values(quads: set, property_: str) -> list[str]:
    objects = (q.object for q in quads if q.predicate.value.endswith(property_))
    return sorted(
        o.value.partition("/id/")[2] or o.value.rpartition("/")[2]
        if isinstance(o, NamedNode) and "thc" in o.value
        else o.value
        for o in objects
    )


# One workbook with every kind that a workbook can hold


def workbook(path: Path) -> None:
    """Write a workbook with several sheets, each with dirt of its own."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in {
        "Tableau de bord": [["Total", "Engagements"], ["Mulhouse", 12]],
        "Suivi": [
            ["Réf. engagement", "Date", "Statut", "Progression (%)"],
            ["plan-exemple-s8", 2020, "✅ Réalisé", 0.5],
            ["plan-exemple-s8", "NON LANCÉE", "JOKER", "=1/0"],
        ],
        "Engagements": [
            ["📋 Plan d’action 2026"],
            ["Plan d'action", "N°/Réf.", "Engagement", "Collectivité", "Échéance\n(année cible)",
             "Budget prévu (€)", "Humeur"],
            ["Plan d’Exemple", "S8", "Publier les délibérations :", "Ville d’Exemple", "2026 T2",
             "250 k€", "bonne"],
            ["Plan d’Exemple", "S9", "Ouvrir la mairie", "Ville d’Exmple", "Chaque printemps", 42],
            ["Plan d’Exemple", "S10", "idem", "Ville d’Exemple", "01/25/2026", "néant"],
            ["TOTAL", None, None, None, None, "=SUM(F3:F5)"],
        ],
        "Rapport": [["Cellule", "Message"]],
    }.items():  # fmt: skip
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book["Engagements"].row_dimensions[4].hidden = True
    book["Engagements"].merge_cells("A1:G1")
    book["Suivi"].sheet_state = "hidden"
    book.save(path)


def test_a_whole_workbook(read, tmp_path: Path) -> None:
    workbook(tmp_path / "classeur.xlsx")
    found, others = read(tmp_path / "classeur.xlsx")
    problems = [*others, *(p for each in found for p in each.problems)]
    assert [f"{p.cell} {p.severity} {p.code}" for p in problems] == [
        "Tableau de bord!ligne 1 note ignored-sheet",
        "Engagements!ligne 4 note hidden-row",
        "Engagements!G2 note ignored-column",
        "Engagements!ligne 1 note title-row",
        "Engagements!ligne 6 note total-row",
        "Engagements!C3 note cleaned",
        "Engagements!E3 warning period",
        "Engagements!F3 warning unit",
        "Engagements!E4 error bad-date",
        "Engagements!D4 error unknown-reference",
        "Engagements!C5 error ditto",
        "Engagements!E5 error month-first",
        "Suivi!ligne 1 note hidden-sheet",
        "Suivi!D2 warning fraction",
        "Suivi!B3 note no-date",
        "Suivi!C3 error unknown-concept",
        "Suivi!D3 error formula",
        "Suivi!ligne 3 error missing-key",
    ]
    near = next(p for p in problems if p.code == "unknown-reference")
    assert near.candidates == ("Ville d’Exemple (ville-exemple)",)


def test_a_windows_file_is_said(read, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{ACTOR}\r\nÉté;organisation;association\n".encode("cp1252"))
    (found,), _ = read(path)
    assert told(found.problems) == ["ligne 1 note windows-1252"]


def test_files_come_in_any_order(read, tmp_path: Path) -> None:
    """What names entities is loaded before what their keys need it for."""
    follow = tmp_path / "a.csv"
    follow.write_text("Réf. engagement;Date;Statut\nplan-autre-s1;2020;Réalisé\n", "utf-8")
    commitments = tmp_path / "b.csv"
    row = "Plan Autre;S1;Agir;Ville d’Exemple"
    commitments.write_text(f"{COMMITMENT}\n{row}\n", "utf-8")
    plans = tmp_path / "c.csv"
    text = "Identifiant;Plan d'action;Auteur du plan\nplan-autre;Plan Autre;Ville d’Exemple\n"
    plans.write_text(text, "utf-8")
    found, _ = read(follow, commitments, plans)
    assert [told(each.problems) for each in found] == [[], [], []]
    assert values(found[-1].quads, "suiviDe") == ["engagement/plan-autre-s1"]


def test_one_column_of_links_leaves_the_others_alone(read, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TERRITORY[:-1] + ";GeoNames\ncommune;68224;Mulhouse;2991214\n", "utf-8")
    (found,), _ = read(path)
    quad = next(q for q in found.quads if "geonames" in str(q.object))
    assert found.replaces(quad)
    other = quad.__class__(
        quad.subject, quad.predicate, NamedNode("http://www.wikidata.org/entity/Q1")
    )
    assert not found.replaces(other)


def test_a_concept_keeps_its_address(read, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CONCEPT + "type-collectivite;EPT;Établissement public territorial;x\n", "utf-8")
    (found,), _ = read(path)
    (iri,) = found.rows
    assert iri.value.endswith("/type-collectivite/etablissement-public-territorial")


def test_a_contribution_is_its_agreement_s_too(read, tmp_path: Path) -> None:
    agreement = tmp_path / "a.csv"
    agreement.write_text(
        "Collectivité;Association signataire;Convention d'objectifs (réf.);Signée le\n"
        "Mulhouse;Ville d’Exemple;2014-01;2014\n", "utf-8",
    )  # fmt: skip
    money = tmp_path / "b.csv"
    money.write_text("Convention;Année;Montant\n216802249-2014-01;2015;5000\n", "utf-8")
    found, _ = read(money, agreement)
    assert [told(each.problems) for each in found] == [[], []]
    assert values(found[1].quads, "ns#contribution") == ["contribution/216802249-2014-01-2015"]


# One of each kind in one workbook: every message, word for word; and back with its comments

MESSAGES = Path(__file__).with_name("dirt.tsv")


@pytest.fixture(scope="module")
def one_of_each(
    schema: Schema, published: Store, lexicon: Lexicon, tmp_path_factory: pytest.TempPathFactory
) -> list[Part]:
    path = tmp_path_factory.mktemp("dirt") / "de-tout.xlsx"
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, dirt in DIRT.items():
        sheet = book.create_sheet(name)
        for line, row in enumerate(csv.reader(io.StringIO(dirt.sheet), delimiter=";"), 1):
            for column, text in enumerate(row, 1):
                sheet.cell(line, column, text[:LONGEST])
    book.save(path)
    given, problems = recognise([Input(path, Dataset("essai"))], schema, BASE)
    assert problems == []
    parts = []
    for each in given:  # apart: their rows contradict one another
        names = Names(schema, BASE, lexicon, partial(departement, published))
        parts.append(Part(each, Source(path.name, ""), convert_all([each], names, schema)[0]))
    return parts


def test_every_message_word_for_word(one_of_each: list[Part]) -> None:
    """The file is what people read: change it when a sentence changes, and read it again."""
    found = sorted(
        "\t".join((str(p.cell), p.severity, p.code, p.message.fr, p.message.en)).replace("\n", "⏎")[
            :LONGEST
        ]
        for part in one_of_each
        for p in part.conversion.problems
    )

    assert found == MESSAGES.read_text("utf-8").splitlines()


@pytest.mark.all
def test_they_come_back_in_their_cells(one_of_each: list[Part], tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: libreoffice-calc")
    problems = [p for part in one_of_each for p in part.conversion.problems]
    annotate(one_of_each, problems, frozenset(), tmp_path / "retour.xlsx", "fr")
    for source, form in (("retour.xlsx", "ods"), ("retour.ods", "xlsx")):
        subprocess.run(
            [office, f"-env:UserInstallation=file://{tmp_path}/home", "--headless",
             "--convert-to", form, "--outdir", tmp_path, tmp_path / source],
            check=True, capture_output=True, timeout=200,
        )  # fmt: skip
    book = openpyxl.load_workbook(tmp_path / "retour.xlsx")
    for each in problems:
        if each.severity is not Severity.NOTE and each.cell.column:
            cell = book[each.cell.sheet].cell(each.cell.line, each.cell.column)
            assert cell.comment is not None, each.cell
            said, seen = (" ".join(s.split()) for s in (each.message.fr, cell.comment.text))
            assert said in seen
