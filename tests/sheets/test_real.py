"""Real sheets by others, read in place through mappings: each row is loaded, or left and why."""

import os
from collections import Counter
from pathlib import Path

import pytest

from thc_graph.rdf.terms import THC, A
from thc_graph.sheets.columns.mapping import HeadingMapping
from thc_graph.sheets.problems import Severity

SHARED = Path(os.environ.get("THC_SHARED", Path(__file__).parents[3] / "shared"))
REAL = SHARED / "data" / "real"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real sheets in {REAL}")

PARIS = HeadingMapping(
    sheet="experiences-projets",
    columns={
        "identifiant_projet_gagnant": "Identifiant",
        "titre_projet_gagnant": "Intitulé",
        "lancement_procedure_projet": "Début",
        "livraison_prev_projet": "Fin",
        "budget_global_projet_gagnant": "Budget (€)",
        "avancement_projet": "Résultat",
        "arrondissement_projet_gagnant": "Remarques",
    },
    constants={"Nature": "projet", "Territoires": "commune/75056"},
    forms={"Identifiant": "bp-paris-{}", "Remarques": "751{:02}"},
    values={
        "Résultat": {
            "FIN": "réussite", "ABANDONNÉ": "échec", "ETUDES": "en cours", "LIVRAISON": "en cours",
            "NON DEMARRE": "en cours", "PROCEDURES": "en cours", "TRAVAUX": "en cours",
        }
    },
)  # fmt: skip
METHODS = HeadingMapping(
    sheet="outils-methodes",
    columns={"titre": "Intitulé", "en_une_phrase": "En une phrase", "tags": "Mots-clés",
             "url": "Page de la fiche", "duree": "Durée", "cout": "Coût"},
    constants={"Nature": "méthode"},
)  # fmt: skip
CARDS = HeadingMapping(
    sheet="acteurs",
    columns={"fichier": "Identifiant", "titre": "Nom", "description": "Description",
             "site": "Site web", "cree": "Fiche créée le", "modifie": "Date de la fiche",
             "url": "Page de la fiche"},
    constants={"Nature": "organisation", "Type d'acteur": "association"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "mapping", "class_", "loaded", "left", "notes"),
    [
        ("paris_bp_laureats_2014_2016", PARIS, "Projet", 414, [], {"no-date": 107, "cleaned": 6}),
        (
            "outils_methodes_multibao", METHODS, "Methode", 79,
            ["ligne 35 missing-key", "ligne 36 missing-key", "ligne 38 missing-key",
             "ligne 64 merged", "B39 placeholder"],
            {"cleaned": 6, "composed": 1},
        ),
        ("fiches_democratie_ouverte", CARDS, "Organisation", 31, [], {"alias": 12}),
    ],
)  # fmt: skip
def test_every_row_is_loaded_or_left_for_a_reason(
    read, name, mapping, class_, loaded, left, notes
) -> None:
    (found,), _ = read(REAL / f"{name}.csv", mapping=mapping)
    refused = {p.cell.line for p in found.problems if p.severity is Severity.ERROR}
    made = {q.subject for q in found.quads if q.predicate == A and q.object == THC[class_]}
    assert sum(found.rows[each].line not in refused for each in made) == loaded
    told = [p for p in found.problems if p.code != "ignored-column"]
    assert [
        f"{str(p.cell).partition('!')[2]} {p.code}" for p in told if p.severity is not Severity.NOTE
    ] == left
    assert Counter(p.code for p in told if p.severity is Severity.NOTE) == notes
