"""Names: how an authority is called after the space it runs, by the rules of French."""

import re
import unicodedata

AUTHORITY_TYPES = {
    "CC": "Communauté de communes",
    "CA": "Communauté d'agglomération",
    "CU": "Communauté urbaine",
    "METRO": "Métropole",
    "MET69": "Métropole de Lyon",
    "EPT": "Établissement public territorial",
}
ABBREVIATED = ("CC", "CA", "CU")  # the types that also open the name: "CC du Pays de Gex"

# What INSEE writes between "commune" and a name, by its "type de nom en clair".
LINKS = {0: "de ", 1: "d'", 2: "du ", 3: "de la ", 4: "des ", 5: "de l'", 6: "d'", 8: "de "}
ARTICLE_CONTRACTED = {2: "Le ", 4: "Les "}
ARTICLE_KEPT = {3: "La ", 5: "L'"}


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
