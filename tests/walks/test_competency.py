"""The questions the graph must answer, asked of the demonstration instance and of a small graph.

The small graph has answers counted by hand; the demonstration instance has the programme's.
"""

import csv
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, QueryBoolean, RdfFormat, Store

from thc_graph.store.library import Library

ROOT = Path(__file__).parents[2]
LIBRARY = Library(ROOT / "queries")
QUESTIONS = LIBRARY.names("competency")
EXAMPLES = LIBRARY.names("example")
OTHERS = [*LIBRARY.names("import"), *LIBRARY.names("derive"), *LIBRARY.names("derive/touched")]
ANSWERED_ELSEWHERE = {20, 23, 25}  # README.md says where
SECONDS = 5.0

THC = "https://w3id.org/thc/"
XSD = "http://www.w3.org/2001/XMLSchema#"
PUBLIC = (
    "http://data.europa.eu/",
    "http://id.insee.fr/geo/",
    "http://purl.org/dc/",
    "http://rdf.insee.fr/",
    "http://rdfs.org/ns/",
    "http://schema.org/",
    "http://www.w3.org/",
    "http://xmlns.com/foaf/",
    THC,
)


def asked(store: Store, question: str, **terms) -> list[dict[str, str]]:
    """Return the answers to a question, by the start of its name; terms are their values."""
    (name,) = [name for name in (*QUESTIONS, *EXAMPLES) if name.split("/")[1].startswith(question)]
    solutions = store.query(LIBRARY.fill(name, **terms))
    names = [variable.value for variable in solutions.variables]
    return [{name: row[name].value for name in names if row[name] is not None} for row in solutions]


def column(rows: list[dict[str, str]], name: str) -> list[str]:
    """Return the last steps of a column's IRIs, or its texts."""
    return [re.sub(r"^https?://.*[/#](?=.)", "", row[name]) for row in rows if name in row]


def concept(path: str) -> NamedNode:
    return NamedNode(THC + path)


def date(day: str) -> Literal:
    return Literal(day, datatype=NamedNode(f"{XSD}date"))


def test_every_question_has_a_query_or_an_answer_elsewhere() -> None:
    numbers = {int(re.match(r"competency/Q(\d\d)-", name)[1]) for name in QUESTIONS}
    readme = (ROOT / "queries/competency/README.md").read_text("utf-8")
    assert numbers | ANSWERED_ELSEWHERE == set(range(1, 26))
    assert not numbers & ANSWERED_ELSEWHERE
    assert all(f"Q{number}" in readme for number in ANSWERED_ELSEWHERE)


@pytest.mark.parametrize("name", [*QUESTIONS, *EXAMPLES])
def test_a_header_says_for_whom_and_what_to_fill_in(name: str) -> None:
    query = LIBRARY.get(name)
    keys = dict(re.findall(r"^#\+ ([^:]+): (.+)$", query.text, re.MULTILINE))
    assert {"summary fr", "summary en", "user"} <= keys.keys()
    assert name in QUESTIONS or "keywords" in keys
    assert all(query.slots.values())


@pytest.mark.parametrize("name", [*QUESTIONS, *EXAMPLES, *OTHERS])
def test_a_query_holds_no_iri_of_data(name: str) -> None:
    iris = re.findall(r"<(https?://[^>]*)>", LIBRARY.get(name).text)
    assert all(iri.startswith(PUBLIC) for iri in iris)


@pytest.mark.parametrize("name", [*QUESTIONS, *EXAMPLES, *OTHERS])
def test_a_query_runs_as_it_stands_and_soon(demo_store: Store, name: str) -> None:
    start = time.process_time()  # of this process: others may be at work beside it
    results = demo_store.query(LIBRARY.get(name).text)
    if not isinstance(results, QueryBoolean):
        for _ in results:
            pass
    assert time.process_time() - start < SECONDS


# The demonstration instance


def test_q01_mulhouse_joined_the_programme(demo_store: Store) -> None:
    rows = asked(demo_store, "Q01")
    (mulhouse,) = [row for row in rows if row.get("codeINSEE") == "68224"]
    assert mulhouse["siren"] == "216802249"
    assert mulhouse["nom"] == "Commune de Mulhouse"
    assert mulhouse["type"].startswith("Commune")


def test_q03_the_three_pillars(demo_store: Store) -> None:
    pillars = {"transparence", "participation", "collaboration"}
    assert set(column(asked(demo_store, "Q03"), "pilier")) <= pillars


def test_q05_datasets_are_described(demo_store: Store) -> None:
    rows = asked(demo_store, "Q05")
    assert rows
    assert all(row.keys() >= {"titre", "licence", "triplets"} for row in rows)


def test_q09_links_go_to_insee(demo_store: Store) -> None:
    links = {row["referentiel"]: int(row["liens"]) for row in asked(demo_store, "Q09")}
    assert links["id.insee.fr"] > 1_000


def test_q13_the_definition_word_for_word(demo_store: Store) -> None:
    definitions = [row["definition"] for row in asked(demo_store, "Q13")]
    assert (
        "Un Territoire Hautement Citoyen est un espace sur lequel la bonne coordination entre "
        "représentants, citoyens et société civile permet de mettre en place et de faire vivre "
        "une démocratie ouverte, transparente et collaborative, garantie par une citoyenneté "
        "active."
    ) in definitions


def test_q13_any_other_word(demo_store: Store) -> None:
    rows = asked(demo_store, "Q13", mot=concept("ns#SuiviAvancement"))
    assert len(rows) == 2, "in French and in English"


def test_q17_the_board_by_college(demo_store: Store) -> None:
    colleges = Counter(column(asked(demo_store, "Q17"), "college"))
    assert colleges == {"institutions": 4, "societe-civile": 11, "entreprises": 7}


def test_q19_a_heading_of_the_scheme(demo_store: Store) -> None:
    heading = concept("democratie-ouverte/casser-les-silos-et-les-structures-pyramidales")
    rows = asked(demo_store, "Q19", rubrique=heading)

    def told(link: str) -> set[str]:
        return set(column([row for row in rows if row["lien"].endswith(link)], "valeur"))

    assert "Casser les silos et les structures pyramidales" in told("#prefLabel")
    assert told("#broader") == {"collaboration"}
    assert told("#inScheme") == {"democratie-ouverte/"}
    assert told("#narrower") == narrower("casser-les-silos-et-les-structures-pyramidales")
    assert told("#definition")


def narrower(slug: str) -> set[str]:
    """Return the children of a heading as the scheme's file has them."""
    scheme = Store()
    scheme.load(path=str(ROOT / "ontology/schemes/democratie-ouverte.ttl"))
    broader = NamedNode("http://www.w3.org/2004/02/skos/core#broader")
    parent = concept(f"democratie-ouverte/{slug}")
    quads = scheme.quads_for_pattern(None, broader, parent, None)
    return {quad.subject.value.rpartition("/")[2] for quad in quads}


def test_q21_mulhouse_waits_for_an_agreement(demo_store: Store) -> None:
    """The presentation gives none, and none is invented."""
    assert "Commune de Mulhouse" in column(asked(demo_store, "Q21"), "nom")


def test_communes_of_a_departement(demo_store: Store) -> None:
    territory = demo_store.query("""
        SELECT ?t { ?t a <https://w3id.org/thc/ns#Departement> ;
                       <http://rdf.insee.fr/def/geo#codeINSEE> "68" }""")
    (row,) = territory
    rows = asked(demo_store, "communes-dans", territoire=row["t"])
    with (ROOT / "data/territories/communes.csv").open(encoding="utf-8", newline="") as lines:
        expected = [
            line["Code INSEE"] for line in csv.DictReader(lines) if line["Département"] == "68"
        ]
    assert sorted(row["codeINSEE"] for row in rows) == expected
    assert rows[0]["nom"] == "Mulhouse"


def test_a_commune_by_its_code(demo_store: Store) -> None:
    (row,) = asked(demo_store, "code-insee", code=Literal("68224"))
    assert row["siren"] == "216802249"


def test_a_label_has_the_lowest_rank_among_names(demo_store: Store) -> None:
    names: dict[str, list[tuple[int, str]]] = {}
    for row in demo_store.query(LIBRARY.get("import/names").text):
        names.setdefault(row["entity"].value, []).append(
            (int(row["rank"].value), row["name"].value)
        )
    first = {entity: min(found)[1] for entity, found in names.items()}
    labels = {name for entity, name in first.items() if entity.endswith("/id/commune/68224")}
    assert labels == {"Mulhouse"}
    assert first[f"{THC}college/societe-civile"] == "Société civile"


def test_types_name_classes_and_schemes(demo_store: Store) -> None:
    types = {
        (row["entity"].value, row["type"].value)
        for row in demo_store.query(LIBRARY.get("import/types").text)
    }
    assert (f"{THC}college/societe-civile", f"{THC}college/") in types
    skos = "http://www.w3.org/2004/02/skos/core#Concept"
    assert all(kind.startswith((THC, skos)) for _, kind in types)


# A small graph, its answers counted by hand

SMALL = """
@prefix : <https://example.org/id/> .
@prefix thc: <https://w3id.org/thc/ns#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix cadre: <https://w3id.org/thc/cadre-adhesion/> .
@prefix do: <https://w3id.org/thc/democratie-ouverte/> .
@prefix genre: <https://w3id.org/thc/type-collectivite/> .
@prefix resultat: <https://w3id.org/thc/resultat/> .
@prefix statut: <https://w3id.org/thc/statut-engagement/> .

:region a thc:Region ; rdfs:label "Région"@fr .
:bourg a thc:Commune ; rdfs:label "Bourg"@fr ; thc:situeDans :region ; thc:population 1500 .
:ville a thc:Commune ; rdfs:label "Ville"@fr ; thc:population 20000 .
:mairie a thc:Collectivite ; rdfs:label "Commune de Bourg"@fr ; thc:administre :bourg ;
    thc:typeCollectivite genre:commune ; thc:siren "216802249" .
:mairie-ville a thc:Collectivite ; rdfs:label "Commune de Ville"@fr ; thc:administre :ville ;
    thc:typeCollectivite genre:commune .
:conseil a thc:Collectivite ; rdfs:label "Région"@fr ; thc:administre :region .

:plan a thc:PlanAction ; rdfs:label "Plan"@fr .
:c1 a thc:Engagement ; rdfs:label "Un"@fr ; thc:plan :plan ; dct:identifier "1" ;
    thc:engagePar :mairie ; thc:territoire :bourg ; dct:subject do:infographies ;
    thc:echeance "2019"^^xsd:gYear ; thc:statutCourant statut:en-cours ;
    thc:progressionCourante 40.0 ; thc:dernierSuivi :s2 .
:c2 a thc:Engagement ; rdfs:label "Deux"@fr ; thc:plan :plan ; dct:identifier "2" ;
    thc:engagePar :mairie ; dct:subject do:transparence , do:infographies ;
    thc:echeance "2018-05"^^xsd:gYearMonth ; thc:statutCourant statut:realise ;
    thc:progressionCourante 100.0 .
:c3 a thc:Engagement ; rdfs:label "Trois"@fr ; thc:plan :plan ; dct:identifier "3" ;
    thc:engagePar :conseil ; thc:statutCourant statut:non-demarre .
:s1 thc:suiviDe :c1 ; dct:date "2018"^^xsd:gYear ; thc:statut statut:preparation .
:s2 thc:suiviDe :c1 ; dct:date "2019-02-01"^^xsd:date ; thc:statut statut:en-cours ;
    rdfs:comment "Lancé."@fr ; prov:wasAttributedTo :mairie ; dct:source <https://bourg.fr/1> .
:s0 thc:suiviDe :c1 ; dct:date "2018-04"^^xsd:gYearMonth ; thc:statut statut:non-demarre .
do:transparence skos:broader do:democratie-ouverte ; skos:prefLabel "Transparence"@fr .
do:infographies skos:broader do:transparence .

:x1 a thc:Experience ; rdfs:label "Jury"@fr ; thc:resultat resultat:echec ;
    thc:territoire :bourg ; thc:mobilise :tirage .
:x2 a thc:Experience ; rdfs:label "Fête"@fr ; thc:resultat resultat:reussite ;
    thc:territoire :region .
:tirage a thc:Methode ; rdfs:label "Tirage au sort"@fr ; dct:subject do:infographies ;
    skos:closeMatch <https://www.participedia.net/method/4911> .
:carnet a thc:Outil ; rdfs:label "Carnet"@fr ; rdfs:seeAlso :tirage .
:f1 a thc:FicheOutilMethode ; foaf:primaryTopic :tirage ; dct:publisher :mairie ;
    dct:modified "2020-01-02"^^xsd:date .
:f2 a thc:FicheOutilMethode ; foaf:primaryTopic :carnet ; dct:modified "2019"^^xsd:gYear .

:e1 a thc:Visite ; rdfs:label "Passée"@fr ; schema:startDate "2020-01-01"^^xsd:date ;
    thc:territoire :bourg .
:e2 a thc:Visite ; rdfs:label "Ici"@fr ; schema:startDate "2020-06"^^xsd:gYearMonth ;
    thc:territoire :bourg .
:e3 a thc:VisioConference ; rdfs:label "À distance"@fr ; schema:startDate "2020-07-01"^^xsd:date .
:e4 a thc:Seminaire ; rdfs:label "Ailleurs"@fr ; schema:startDate "2020-07-02"^^xsd:date ;
    thc:territoire :ville .

:a1 a thc:Adhesion ; thc:collectivite :mairie ; thc:adhereA cadre:programme ;
    thc:convention :v1 .
:a2 a thc:Adhesion ; thc:collectivite :mairie-ville ; thc:adhereA cadre:programme .
:a3 a thc:Adhesion ; thc:collectivite :conseil ; thc:adhereA cadre:reseau .
:v1 thc:collectivite :mairie .
:v2 thc:collectivite :mairie-ville .
:n1 a thc:ContributionFinanciere ; thc:convention :v1 ; thc:montant 1000.0 ;
    thc:annee "2015"^^xsd:gYear .
:n2 a thc:ContributionFinanciere ; thc:convention :v1 ; thc:montant 2000.0 ;
    thc:annee "2016"^^xsd:gYear .
:n3 a thc:ContributionFinanciere ; thc:convention :v2 ; thc:montant 5000.5 ;
    thc:annee "2016"^^xsd:gYear .
genre:commune skos:prefLabel "Commune"@fr .
"""


@pytest.fixture(scope="module")
def small() -> Store:
    store = Store()
    store.load(SMALL, format=RdfFormat.TURTLE)
    return store


def thing(name: str) -> NamedNode:
    return NamedNode(f"https://example.org/id/{name}")


@pytest.mark.parametrize(
    ("question", "terms", "shown", "expected"),
    [
        ("Q01", {}, "collectivite", ["mairie", "mairie-ville"]),
        ("Q01", {"territoire": thing("ville")}, "collectivite", ["mairie-ville"]),
        ("Q02", {"collectivite": thing("mairie")}, "statut", ["en-cours", "realise"]),
        ("Q03", {}, "engagements", ["2"]),
        ("Q03", {}, "moyenne", ["70"]),
        ("Q03", {"territoire": thing("bourg")}, "moyenne", ["40"]),
        ("Q04", {"engagement": thing("c1")}, "date", ["2018-04", "2018", "2019-02-01"]),
        ("Q06", {}, "nomMethode", ["Tirage au sort"]),
        ("Q06", {"territoire": thing("ville")}, "experience", []),
        ("Q07", {}, "referentiel", ["participedia.net"]),
        ("Q08", {}, "fiche", ["f2"]),
        ("Q09", {}, "referentiel", ["participedia.net"]),
        ("Q10", {"identifiant": Literal("216802249")}, "acteur", ["mairie"]),
        ("Q11", {}, "fiche", ["f1"]),
        ("Q12", {}, "fiche", ["f2", "f1"]),
        ("Q12", {"depuis": date("2020-01-01")}, "fiche", ["f1"]),
        ("Q12", {"depuis": date("2019-06-01")}, "fiche", ["f2", "f1"]),
        ("Q15", {"engagement": thing("c1")}, "source", ["1"]),
        ("Q18", {"rubrique": concept("democratie-ouverte/transparence")}, "methode", ["tirage"]),
        ("Q21", {}, "collectivite", ["mairie-ville"]),
        ("Q22", {"depuis": date("2019-01-01")}, "collectivite", ["mairie-ville", "conseil"]),
        ("Q22", {"depuis": date("2020-01-01")}, "dernierSuivi", ["", "", "2019-02-01"]),
        ("Q24", {}, "tranche", ["moins de 2 000", "10 000 à 49 999"]),
        ("Q24", {}, "total", ["3000", "5000.5"]),
        ("Q24", {}, "moyenne", ["1500", "5000.5"]),
        ("tableau-de-bord", {"plan": thing("plan")}, "reference", ["1", "2", "3"]),
        ("engagements-en-retard", {"jour": date("2020-01-01")}, "engagement", ["c1"]),
        ("engagements-en-retard", {"jour": date("2019-12-31")}, "engagement", []),
        ("methodes-par-pilier", {}, "methode", ["tirage"]),
    ],
)  # fmt: skip
def test_an_answer_counted_by_hand(
    small: Store, question: str, terms: dict, shown: str, expected: list[str]
) -> None:
    assert column(asked(small, question, **terms), shown) == expected


def test_q14_what_goes_on_here_and_in_what_contains_it(small: Store) -> None:
    here = asked(small, "Q14", territoire=thing("bourg"))
    assert sorted(column(here, "chose")) == ["c1", "c2", "c3", "e1", "e2", "x1", "x2"]
    assert column(asked(small, "Q14", territoire=thing("ville")), "chose") == ["e4"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2020-01-01", ["e1", "e2", "e3"]),
        ("2020-01-02", ["e2", "e3"]),
        ("2020-06-30", ["e2", "e3"]),
        ("2020-07-01", ["e3"]),
    ],
)
def test_q16_events_to_come_in_a_region_and_online(
    small: Store, day: str, expected: list[str]
) -> None:
    rows = asked(small, "Q16", territoire=thing("region"), jour=date(day))
    assert column(rows, "evenement") == expected
