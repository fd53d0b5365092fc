"""Asking: words in, the entities they mean out, grouped by kind.

What ranks: the whole name, then names with all the words, then names with their stems,
then texts. A word that no name and no text holds may be one typed in haste: it stands
for the words nearest to it, and the nearest is proposed. Among equals, the more peopled
place comes first.

Bounds: a question is 200 characters and 8 words; a word tolerates one fault from four
letters on and two from eight; at most 20 entities of a kind are read, 5 when all kinds
are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import tantivy
from pyoxigraph import Literal
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import token_sort_ratio
from tantivy import Query

from thc_graph.search.context import Piece, context
from thc_graph.search.index import Index, both, either
from thc_graph.search.summaries import Place
from thc_graph.search.words import MAX_LENGTH, key, meaning, stem

SHOWN: Final = 5  # of each kind, when all kinds are
SIZE: Final = 20  # of a page of one kind
SUGGESTED: Final = 8
NEAR: Final = 50  # entities whose words are compared with a word typed in haste
ALIKE: Final = 60.0  # of a hundred: names less alike are not proposed for an address
WHOLE: Final = 1_000_000  # characters of a text in which the sentence is sought
TEXTS: Final = ("text_fr", "text_en")

# One step of ranking outweighs whatever the next can reach (BM25 and population together).
EXACT, NAMED, STEMMED, BEGUN, NEARLY = 10_000.0, 1_000.0, 300.0, 100.0, 30.0


@dataclass(frozen=True)
class Hit:
    """An entity found; `context` is the sentence where, of its texts, `language` theirs."""

    place: Place
    context: tuple[Piece, ...] = ()
    language: str = "fr"


@dataclass(frozen=True)
class Group:
    kind: str
    total: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Found:
    """What a question finds; `instead` is the question as it may have been meant.

    `partly` says that nothing holds all the words, and that these hold some.
    """

    text: str
    total: int
    groups: tuple[Group, ...]
    instead: str = ""
    partly: bool = False


def ask(index: Index, text: str, language: str, kind: str = "", number: int = 1) -> Found:
    """Return what a question finds, of all kinds or page `number` of one."""
    asked = meaning(text)
    if not asked:
        return Found(text, 0, ())
    query, partly = _all(index, asked, text), False
    kinds = index.counts(query, "kind")
    if not kinds and len(asked) > 1:
        query, partly = either(*(_word(index, word) for word in asked)), True
        kinds = index.counts(query, "kind")
    groups = _groups(index, query, language, kinds, (kind, number))
    return Found(text, index.total(query), tuple(groups), _instead(index, text, asked), partly)


def suggest(index: Index, text: str, language: str) -> list[Place]:
    """Return the entities whose name begins so, the best known first; each name once."""
    asked = meaning(text)
    if not asked:
        return []
    *whole, last = asked
    begun = Query.boost_query(index.prefix("name", last), BEGUN)
    query = both(*(index.term("name", word) for word in whole), begun)
    found = index.find(either(_exactly(index, text), query), SUGGESTED * 3, language)
    named: dict[str, Place] = {}
    for place in found:
        if place.label:
            named.setdefault(place.label.value, place)
    typed = key(text)
    ranked = sorted(named, key=lambda name: not key(name).startswith(typed))
    return [named[name] for name in ranked[:SUGGESTED]]


def near(index: Index, text: str, language: str) -> list[Place]:
    """Return the entities whose name resembles a text, the most alike first."""
    asked = meaning(text)
    if not asked:
        return []
    words = (query for word in asked for query in (index.term("name", word), *_near(index, word)))
    written = key(text)[:MAX_LENGTH]
    alike = [
        (token_sort_ratio(key(place.label.value), written, score_cutoff=ALIKE), place)
        for place in index.find(either(*words), NEAR, language)
        if place.label
    ]
    ranked = sorted((each for each in alike if each[0]), key=lambda each: -each[0])
    return [place for _, place in ranked[:SHOWN]]


def jump(index: Index, text: str, language: str) -> Place | None:
    """Return the one entity whose code or IRI this is; None if there are several, or none.

    A code of a commune that is the postcode of others is no answer by itself.
    """
    typed = text.strip()[:MAX_LENGTH]
    if "://" in typed:
        return index.places([typed], language).get(typed)
    code = typed.replace(" ", "").casefold()
    if not any(each.isdecimal() for each in code) or index.postcode(code, language):
        return None
    found = index.find(index.term("code", code), 2, language)
    return found[0] if len(found) == 1 else None


def _all(index: Index, asked: Sequence[str], text: str) -> Query:
    every = both(*(_word(index, word) for word in asked))
    together = both(*(index.term("name", word) for word in asked))
    return either(_exactly(index, text), _best(NAMED, together), every)


def _exactly(index: Index, text: str) -> Query:
    return _best(EXACT, index.term("exact", key(text)))


def _best(score: float, query: Query) -> Query:
    return Query.const_score_query(query, score)


def _word(index: Index, word: str) -> Query:
    """Return what one word finds: itself, its stem, what it begins; else what is near it."""
    stems = {field: stem(word, field[-2:]) for field in TEXTS}
    texts = [index.term(field, each) for field, each in stems.items() if each]
    named = index.term("stem", stems["text_fr"]) if stems["text_fr"] else index.term("name", word)
    known = [_best(STEMMED, named), *_coded(index, word), *texts]
    if not _is_known(index, word):
        known += [_best(BEGUN, index.prefix("name", word)), *_near(index, word)]
    return Query.disjunction_max_query(known)


def _coded(index: Index, word: str) -> list[Query]:
    return [_best(STEMMED, index.term(field, word)) for field in ("code", "postcode")]


def _is_known(index: Index, word: str) -> bool:
    searcher = index.searcher
    fields = (("name", word), ("stem", stem(word, "fr")), ("code", word), ("postcode", word))
    texts = ((field, stem(word, field[-2:])) for field in TEXTS)
    return any(searcher.doc_freq(*each) for each in (*fields, *texts) if each[1])


def _near(index: Index, word: str) -> Iterator[Query]:
    faults = tolerated(word)
    if faults:
        fuzzy = Query.fuzzy_term_query(index.schema, "name", word, distance=faults)
        yield _best(NEARLY, fuzzy)


def tolerated(word: str) -> int:
    """Return how many faults a word may hold: letters missing, added, changed or exchanged."""
    long, longer = 4, 8
    return (len(word) >= long) + (len(word) >= longer) if word.isalpha() else 0


def _groups(
    index: Index, query: Query, language: str, kinds: dict[str, int], wanted: tuple[str, int]
) -> Iterator[Group]:
    """Yield the kinds found, that of the best first."""
    kind, number = wanted
    size, chosen = (SIZE, [kind]) if kind else (SHOWN, list(kinds))
    groups = []
    for each in chosen:
        asked = both(query, _best(0.0, index.term("kind", each)))
        found = index.searcher.search(
            asked, limit=size, offset=index.start((number - 1) * size), weight_by_field="weight"
        )
        best = found.hits[0][0] if found.hits else 0.0
        hits = tuple(_hit(index, query, address, language) for _, address in found.hits)
        groups.append((best, Group(each, kinds.get(each, 0), hits)))
    yield from (group for _, group in sorted(groups, key=lambda pair: (-pair[0], pair[1].kind)))


def _hit(index: Index, query: Query, address: tantivy.DocAddress, language: str) -> Hit:
    document, place = index.searcher.doc(address), index.place(address, language)
    order = sorted(TEXTS, key=lambda field: not field.endswith(language))
    for field in order:
        generator = tantivy.SnippetGenerator.create(index.searcher, query, index.schema, field)
        generator.set_max_num_chars(WHOLE)
        snippet = generator.snippet_from_doc(document)
        marks = [(each.start, each.end) for each in snippet.highlighted()]
        if marks:
            # The library leaves out what stands before the first word and after the last.
            text = str(document.get_first(field))
            before = len(text.partition(snippet.fragment())[0].encode())
            placed = [(start + before, end + before) for start, end in marks]
            return Hit(place, context(text, placed), field[-2:])
    return Hit(place)


def _instead(index: Index, text: str, asked: Sequence[str]) -> str:
    """Return the question with each unknown word replaced by the nearest known, "" if none is."""
    written = key(text)[:MAX_LENGTH].split()
    nearest = {word: _nearest(index, word) for word in asked if not _is_known(index, word)}
    if not any(nearest.values()):
        return ""
    return " ".join(nearest.get(word) or word for word in written)


def _nearest(index: Index, word: str) -> str:
    near = list(_near(index, word))
    if not near:
        return ""
    found = index.find(near[0], NEAR, "fr")
    words = {each for place in found for each in _named(place.label)}
    ranked = (
        (OSA.distance(word, each), -index.searcher.doc_freq("name", each), each) for each in words
    )
    best = min(ranked, default=(len(word), 0, ""))
    return best[2] if best[0] <= tolerated(word) else ""


def _named(label: Literal | None) -> list[str]:
    return key(label.value).split() if label else []
