"""Derived facts on hand-made graphs: what each rule says, and what a change makes it say again."""

import re
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, RdfFormat, Store

from thc_graph.store.library import Library

QUERIES = Path(__file__).parents[3] / "queries"
LIBRARY = Library(QUERIES)
RULES = LIBRARY.names("derive")

PREFIXES = """
@prefix : <https://example.org/id/> .
@prefix thc: <https://w3id.org/thc/ns#> .
@prefix igeo: <http://rdf.insee.fr/def/geo#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix cadre: <https://w3id.org/thc/cadre-adhesion/> .
@prefix statut: <https://w3id.org/thc/statut-engagement/> .
"""
NAMESPACES = dict(re.findall(r"@prefix (\w*): <([^>]+)>", PREFIXES))


def loaded(turtle: str) -> Store:
    store = Store()
    store.load(PREFIXES + turtle, format=RdfFormat.TURTLE)
    return store


def node(name: str) -> NamedNode:
    prefix, _, local = name.rpartition(":")
    return NamedNode(NAMESPACES[prefix] + local)


def short(term) -> str:
    if not isinstance(term, NamedNode):
        return f"{term.value}@{term.language}" if term.language else term.value
    for prefix, namespace in NAMESPACES.items():
        if term.value.startswith(namespace):
            return f"{prefix}:{term.value.removeprefix(namespace)}".removeprefix(":")
    return term.value


def derived(store: Store, rule: str, *focus: str) -> set[tuple[str, str, str]]:
    """Return what the rule derives: of some nodes, or, none given, of all."""
    terms = {"focus": [node(name) for name in focus]} if focus else {}
    triples = store.query(LIBRARY.fill(f"derive/{rule}", **terms))
    return {tuple(short(term) for term in triple) for triple in triples}


def touched(store: Store, rule: str, changed: str) -> set[str]:
    text = LIBRARY.fill(f"derive/touched/{rule}", changed=[node(changed)])
    return {short(row["focus"]) for row in store.query(text)}


def labels(store: Store, rule: str, *focus: str) -> set[tuple[str, str]]:
    facts = derived(store, rule, *focus)
    assert {predicate for _, predicate, _ in facts} <= {"rdfs:label"}
    return {(subject, label) for subject, _, label in facts}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_and_what_it_touches_keep_their_contract(rule: str) -> None:
    focus, changed = LIBRARY.get(rule), LIBRARY.get(rule.replace("derive/", "derive/touched/"))
    assert set(focus.slots) == {"focus"}
    assert set(changed.slots) == {"changed"}
    assert all([focus.summary, focus.slots["focus"], changed.summary, changed.slots["changed"]])
    for query in (focus, changed) if rule != "derive/volumes" else ():  # it counts graphs
        assert not re.search(r"\b(GRAPH|SERVICE|FROM)\b", query.text)


def test_nothing_is_touched_by_a_rule_that_does_not_exist() -> None:
    rules = {name.removeprefix("derive/") for name in RULES}
    touching = {name.removeprefix("derive/touched/") for name in LIBRARY.names("derive/touched")}
    assert rules == touching


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_gives_nothing_on_an_empty_graph(rule: str) -> None:
    assert derived(Store(), rule.removeprefix("derive/")) == set()


COMMITMENTS = """
:c1 a thc:Engagement ; dct:identifier "C1" .
:c2 a thc:Engagement ; dct:identifier "C2.1" .
:c3 a thc:Engagement ; dct:identifier "C3" .
:s1 a thc:SuiviAvancement ; thc:suiviDe :c1 ; dct:date "2016-06-30"^^xsd:date ;
    thc:statut statut:en-cours ; thc:progression 40.0 .
:s2 a thc:SuiviAvancement ; thc:suiviDe :c1 ; dct:date "2017-01-15"^^xsd:date ;
    thc:statut statut:realise .
:s3 a thc:SuiviAvancement ; thc:suiviDe :c1 ; dct:date "2017-03-01"^^xsd:date ;
    rdfs:comment "Rien de neuf."@fr .
:s4 a thc:SuiviAvancement ; thc:suiviDe :c2 ; dct:date "2020-06-30"^^xsd:date ;
    thc:progression 12.5 .
"""


def test_each_fact_comes_from_the_last_follow_up_that_has_it() -> None:
    assert derived(loaded(COMMITMENTS), "statut-courant") == {
        ("c1", "thc:dernierSuivi", "s3"),
        ("c1", "thc:dateDernierSuivi", "2017-03-01"),
        ("c1", "thc:statutCourant", "statut:realise"),
        ("c1", "thc:progressionCourante", "40"),
        ("c2", "thc:dernierSuivi", "s4"),
        ("c2", "thc:dateDernierSuivi", "2020-06-30"),
        ("c2", "thc:statutCourant", "statut:non-demarre"),
        ("c2", "thc:progressionCourante", "12.5"),
        ("c3", "thc:statutCourant", "statut:non-demarre"),
    }


def test_the_status_of_one_commitment() -> None:
    assert derived(loaded(COMMITMENTS), "statut-courant", ":c3") == {
        ("c3", "thc:statutCourant", "statut:non-demarre")
    }


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ('"2016-06-30"^^xsd:date', '"2016-07-01"^^xsd:date'),
        ('"2016-12"^^xsd:gYearMonth', '"2017-01-01"^^xsd:date'),
        ('"2016"^^xsd:gYear', '"2017-01-01"^^xsd:date'),
        ('"2016-02-29"^^xsd:date', '"2016-02"^^xsd:gYearMonth'),
        ('"2016-12-31"^^xsd:date', '"2016-12"^^xsd:gYearMonth'),
        ('"2016-12"^^xsd:gYearMonth', '"2016"^^xsd:gYear'),
        ('"2016-11"^^xsd:gYearMonth', '"2016-12-01"^^xsd:date'),
    ],
)
def test_a_partial_date_counts_by_the_end_of_its_period(earlier: str, later: str) -> None:
    for first, second in (("s1", "s2"), ("s2", "s1")):
        store = loaded(f"""
            :c1 a thc:Engagement .
            :{first} thc:suiviDe :c1 ; dct:date {earlier} ; thc:statut statut:en-cours .
            :{second} thc:suiviDe :c1 ; dct:date {later} ; thc:statut statut:abandonne .
        """)
        assert derived(store, "statut-courant") == {
            ("c1", "thc:dernierSuivi", second),
            ("c1", "thc:dateDernierSuivi", later.split('"')[1]),
            ("c1", "thc:statutCourant", "statut:abandonne"),
        }


@pytest.mark.parametrize(
    ("changed", "expected"), [(":c1", {"c1"}), (":s4", {"c2"}), (":elsewhere", set())]
)
def test_what_a_change_does_to_statuses(changed: str, expected: set[str]) -> None:
    assert touched(loaded(COMMITMENTS), "statut-courant", changed) == expected


PLACES = """
:grand-est a thc:Region ; igeo:codeINSEE "44" .
:haut-rhin a thc:Departement ; igeo:codeINSEE "68" ; thc:region :grand-est ; thc:chefLieu :colmar .
:m2a a thc:Intercommunalite ; thc:departement :haut-rhin .
:mulhouse a thc:Commune ; igeo:codeINSEE "68224" ; thc:departement :haut-rhin ; thc:membreDe :m2a .
:colmar a thc:Commune ; igeo:codeINSEE "68066" ; thc:departement :haut-rhin .
:fonderie a thc:Quartier ; thc:commune :mulhouse .
:paris-4 a thc:ArrondissementMunicipal ; igeo:codeINSEE "75104" .
:polynesie a thc:CollectiviteOutreMer ; igeo:codeINSEE "987" .
"""


def test_a_territory_lies_in_all_that_contain_it() -> None:
    store = loaded(PLACES)
    facts = derived(store, "situe-dans")
    assert {predicate for _, predicate, _ in facts} == {"thc:situeDans"}
    assert {(inner, outer) for inner, _, outer in facts} == {
        ("haut-rhin", "grand-est"),
        ("m2a", "haut-rhin"),
        ("m2a", "grand-est"),
        ("mulhouse", "m2a"),
        ("mulhouse", "haut-rhin"),
        ("mulhouse", "grand-est"),
        ("colmar", "haut-rhin"),
        ("colmar", "grand-est"),
        ("fonderie", "mulhouse"),
        ("fonderie", "m2a"),
        ("fonderie", "haut-rhin"),
        ("fonderie", "grand-est"),
    }
    assert derived(store, "situe-dans", ":colmar", ":grand-est") == {
        ("colmar", "thc:situeDans", "haut-rhin"),
        ("colmar", "thc:situeDans", "grand-est"),
    }


def test_a_circle_of_territories_ends() -> None:
    store = loaded(":a thc:membreDe :b . :b thc:membreDe :a .")
    assert derived(store, "situe-dans") == {
        ("a", "thc:situeDans", "b"),
        ("b", "thc:situeDans", "a"),
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (":fonderie", {"fonderie"}),
        (":mulhouse", {"mulhouse", "fonderie"}),
        (":m2a", {"m2a", "mulhouse", "fonderie"}),
        (":grand-est", {"haut-rhin", "m2a", "mulhouse", "colmar", "fonderie"}),
    ],
)
def test_what_a_change_does_to_containers(changed: str, expected: set[str]) -> None:
    assert touched(loaded(PLACES), "situe-dans", changed) == expected


def test_links_to_insee() -> None:
    store = loaded(PLACES)
    base = "http://id.insee.fr/geo"
    assert derived(store, "liens-insee") == {
        ("grand-est", "rdfs:seeAlso", f"{base}/region/44"),
        ("haut-rhin", "rdfs:seeAlso", f"{base}/departement/68"),
        ("mulhouse", "rdfs:seeAlso", f"{base}/commune/68224"),
        ("colmar", "rdfs:seeAlso", f"{base}/commune/68066"),
        ("paris-4", "rdfs:seeAlso", f"{base}/arrondissementMunicipal/75104"),
    }
    assert len(derived(store, "liens-insee", ":colmar")) == 1
    assert touched(store, "liens-insee", ":colmar") == {"colmar"}
    assert touched(store, "liens-insee", ":fonderie") == set()


MEMBERSHIPS = """
:cea thc:administre :bas-rhin , :haut-rhin .
:ville thc:administre :mulhouse .
:ancienne thc:administre :colmar .
:curieuse thc:administre :guebwiller .
:a1 a thc:Adhesion ; thc:collectivite :ville ; thc:adhereA cadre:programme .
:a2 a thc:Adhesion ; thc:collectivite :ville ; thc:adhereA cadre:reseau .
:a3 a thc:Adhesion ; thc:collectivite :cea ; thc:adhereA cadre:programme ;
    thc:fin "2999"^^xsd:gYear .
:a4 a thc:Adhesion ; thc:collectivite :ancienne ; thc:adhereA cadre:programme ;
    thc:fin "2015-06"^^xsd:gYearMonth .
:a5 a thc:Adhesion ; thc:collectivite :curieuse ; thc:adhereA cadre:reseau .
:v1 a thc:ConventionObjectifs ; thc:collectivite :ville .
"""


def test_member_territories_and_their_memberships() -> None:
    assert derived(loaded(MEMBERSHIPS), "territoire-adherent") == {
        ("mulhouse", "thc:adhesion", "a1"),
        ("mulhouse", "thc:adhesion", "a2"),
        ("mulhouse", "rdf:type", "thc:TerritoireAdherent"),
        ("bas-rhin", "thc:adhesion", "a3"),
        ("bas-rhin", "rdf:type", "thc:TerritoireAdherent"),
        ("haut-rhin", "thc:adhesion", "a3"),
        ("haut-rhin", "rdf:type", "thc:TerritoireAdherent"),
        ("colmar", "thc:adhesion", "a4"),
        ("guebwiller", "thc:adhesion", "a5"),
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (":a3", {"bas-rhin", "haut-rhin"}),
        (":ville", {"mulhouse"}),
        (":colmar", {"colmar"}),
        (":v1", set()),
    ],
)
def test_what_a_change_does_to_members(changed: str, expected: set[str]) -> None:
    store = loaded(MEMBERSHIPS)
    assert touched(store, "territoire-adherent", changed) == expected
    if expected:
        derived(store, "territoire-adherent", *(f":{name}" for name in expected))


def test_the_name_of_a_follow_up() -> None:
    store = loaded(
        COMMITMENTS
        + """
        :s5 a thc:SuiviAvancement ; thc:suiviDe :c3 ; dct:date "2016-09"^^xsd:gYearMonth .
        """
    )
    assert labels(store, "libelle-suivi", ":s4", ":s5") == {
        ("s4", "Suivi du 2020-06-30 : engagement C2.1@fr"),
        ("s4", "Follow-up of 2020-06-30: commitment C2.1@en"),
        ("s5", "Suivi de 2016-09 : engagement C3@fr"),
        ("s5", "Follow-up of 2016-09: commitment C3@en"),
    }
    assert {subject for subject, _ in labels(store, "libelle-suivi")} == {
        "s1", "s2", "s3", "s4", "s5",
    }  # fmt: skip
    assert touched(store, "libelle-suivi", ":c1") == {"s1", "s2", "s3"}
    assert touched(store, "libelle-suivi", ":s4") == {"s4"}


NAMED = """
:ville rdfs:label "Commune de Mulhouse"@fr .
:asso rdfs:label "Démocratie Ouverte"@fr , "Open Democracy"@en .
:jeanne rdfs:label "Jeanne Exemple"@fr .
:administre skos:prefLabel "Administrateur"@fr , "Board member"@en .
:m1 a thc:Mandat ; org:member :jeanne ; org:role :administre ; org:organization :asso .
cadre:programme skos:prefLabel "Programme"@fr , "Programme"@en .
:a1 a thc:Adhesion ; thc:collectivite :ville ; thc:adhereA cadre:programme .
:v1 a thc:ConventionObjectifs ; thc:collectivite :ville ; dct:identifier "2014-1" .
:n1 a thc:ContributionFinanciere ; thc:convention :v1 ; thc:annee "2015"^^xsd:gYear .
:f1 a thc:FicheOutilMethode ; foaf:primaryTopic :cafe .
:cafe rdfs:label "Café citoyen"@fr , "Citizens’ café"@en .
:f2 a thc:FicheActeur ; foaf:primaryTopic :asso .
"""


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "libelle-mandat",
            {
                ("m1", "Jeanne Exemple, administrateur (Démocratie Ouverte)@fr"),
                ("m1", "Jeanne Exemple, board member (Open Democracy)@en"),
            },
        ),
        (
            "libelle-adhesion",
            {
                ("a1", "Adhésion – Programme : Commune de Mulhouse@fr"),
                ("a1", "Membership – Programme: Commune de Mulhouse@en"),
            },
        ),
        (
            "libelle-convention",
            {
                ("v1", "Convention d’objectifs 2014-1 : Commune de Mulhouse@fr"),
                ("v1", "Agreement on objectives 2014-1: Commune de Mulhouse@en"),
            },
        ),
        (
            "libelle-contribution",
            {
                ("n1", "Contribution 2015 : Commune de Mulhouse, convention 2014-1@fr"),
                ("n1", "Contribution 2015: Commune de Mulhouse, agreement 2014-1@en"),
            },
        ),
        (
            "libelle-fiche",
            {
                ("f1", "Fiche : Café citoyen@fr"),
                ("f1", "Record: Citizens’ café@en"),
                ("f2", "Fiche : Démocratie Ouverte@fr"),
                ("f2", "Record: Open Democracy@en"),
            },
        ),
    ],
)
def test_the_name_of_what_has_none(rule: str, expected: set[tuple[str, str]]) -> None:
    store = loaded(NAMED)
    assert labels(store, rule) == expected
    one = min(expected)[0]
    assert labels(store, rule, f":{one}") == {label for label in expected if label[0] == one}


@pytest.mark.parametrize(
    ("rule", "changed", "expected"),
    [
        ("libelle-mandat", ":m1", {"m1"}),
        ("libelle-mandat", ":jeanne", {"m1"}),
        ("libelle-mandat", ":administre", {"m1"}),
        ("libelle-mandat", ":asso", {"m1"}),
        ("libelle-mandat", ":ville", set()),
        ("libelle-adhesion", ":a1", {"a1"}),
        ("libelle-adhesion", ":ville", {"a1"}),
        ("libelle-adhesion", "cadre:programme", {"a1"}),
        ("libelle-convention", ":v1", {"v1"}),
        ("libelle-convention", ":ville", {"v1"}),
        ("libelle-contribution", ":n1", {"n1"}),
        ("libelle-contribution", ":v1", {"n1"}),
        ("libelle-contribution", ":ville", {"n1"}),
        ("libelle-fiche", ":f1", {"f1"}),
        ("libelle-fiche", ":cafe", {"f1"}),
        ("libelle-fiche", ":asso", {"f2"}),
    ],
)
def test_what_a_change_does_to_names(rule: str, changed: str, expected: set[str]) -> None:
    assert touched(loaded(NAMED), rule, changed) == expected
