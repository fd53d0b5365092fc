"""Datasets: what is imported together, with its licence, its source and its graph.

A folder of sheets says so in `dataset.yaml`; a lone file belongs to the dataset
the person names. Every dataset is described in the catalogue's graph.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.errors import SheetError
from thc_graph.rdf import iris
from thc_graph.rdf.terms import DCAT, DCT, OWL, RDFS, A, Term
from thc_graph.schema.shapes import Text
from thc_graph.sheets.columns.mapping import HeadingMapping, read_mapping
from thc_graph.sheets.problems import message

FILE = "dataset.yaml"
SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"})
MAPPINGS = "mappings"  # a folder beside the sheets: {stem}.yaml is the mapping of {stem}.csv


@dataclass(frozen=True)
class Dataset:
    """What a source is called and under which open licence it comes; `licence` is an IRI."""

    id: str
    title: Text = Text()
    description: Text = Text()
    licence: str = ""
    publisher: str = ""
    version: str = ""
    attribution: Text = Text()
    sources: tuple[str, ...] = ()

    def iri(self, base: str) -> NamedNode:
        return iris.entity(base, "jeu-de-donnees", self.id)

    def graph(self, base: str, sheet: str) -> NamedNode:
        return iris.graph(base, f"{self.id}/{sheet}")

    def quads(self, base: str) -> Iterator[Quad]:
        """Yield the dataset's description, in the catalogue's graph."""
        graph = iris.graph(base, f"catalogue/{self.id}")
        for predicate, term in self._facts():
            yield Quad(self.iri(base), predicate, term, graph)

    def _facts(self) -> Iterator[tuple[NamedNode, Term]]:
        yield A, DCAT["Dataset"]
        yield DCT["identifier"], Literal(self.id)
        for predicate, text in (
            (RDFS["label"], self.title),
            (DCT["title"], self.title),
            (DCT["description"], self.description),
            (DCT["rights"], self.attribution),
        ):
            yield from ((predicate, literal) for literal in _literals(text))
        for predicate, links in (
            (DCT["license"], (self.licence,)),
            (DCT["publisher"], (self.publisher,)),
            (DCT["source"], self.sources),
        ):
            yield from ((predicate, NamedNode(each)) for each in links if each)
        if self.version:
            yield OWL["versionInfo"], Literal(self.version)


@dataclass(frozen=True)
class Input:
    """One file to import: its dataset, and its sheet and mapping where they are declared."""

    path: Path
    dataset: Dataset
    sheet: str | None = None
    mapping: HeadingMapping = field(default_factory=HeadingMapping)
    describes: bool = True  # what is said of the dataset replaces what was published of it


def inputs(
    path: Path, sheet: str | None = None, mapping: Path | None = None, source: str = "feuilles"
) -> list[Input]:
    """Return the files to import, in the order they depend on one another.

    Args:
        path: A file, or a folder; without a `dataset.yaml`, all its sheets are one dataset.
        sheet: The slug of a lone file's sheet, where it is not to be recognised.
        mapping: The mapping file of a lone file with foreign headings.
        source: The dataset of a lone file or folder, where nothing else names one.

    Raises:
        SheetError: The folder's or the mapping's description is not readable.
    """
    if path.is_dir():
        return _folder(path, source)
    declared = read_mapping(mapping) if mapping else HeadingMapping()
    dataset = _dataset({"id": source, **declared.source}, path)
    return [Input(path, dataset, sheet, declared, describes=bool(declared.source))]


def _folder(path: Path, source: str) -> list[Input]:
    """Return the files a folder's description lists; without one, every sheet in it."""
    if not (path / FILE).is_file():
        dataset = _dataset({"id": source}, path)
        found = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and _is_sheet(f))
        if not found:
            raise SheetError(path.name, message("empty-folder").fr)
        return [Input(each, dataset, None, _beside(each)) for each in found]
    try:
        described = yaml.safe_load((path / FILE).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as fault:
        raise SheetError(path.name, f"{FILE} : {fault}") from fault
    whole = _dataset(described, path)
    files = sorted(described.get("files", ()), key=lambda file: file.get("order", 0))
    return [
        Input(
            path / file["file"],
            _part(whole, described, file, path),
            file.get("sheet"),
            _beside(path / file["file"]),
        )
        for file in files
    ]


def _is_sheet(path: Path) -> bool:
    """Say whether a file is one a person keeps: not hidden, not a lock of an open workbook."""
    return path.is_file() and not path.name.startswith((".", "~$"))


def _beside(path: Path) -> HeadingMapping:
    """Return the mapping that stands beside a sheet: mappings/engagements.yaml."""
    mapping = path.parent / MAPPINGS / f"{path.stem}.yaml"
    return read_mapping(mapping) if mapping.is_file() else HeadingMapping()


def _part(whole: Dataset, described: dict[str, Any], file: dict[str, Any], path: Path) -> Dataset:
    """A file with a licence of its own is a dataset of its own."""
    if "licence" not in file:
        return whole
    stem = Path(file["file"]).stem
    title = {lang: f"{text} : {stem}" for lang, text in described["title"].items()}
    return _dataset({**described, "title": title, **file, "id": f"{whole.id}-{stem}"}, path)


def _dataset(described: Mapping[str, Any], path: Path) -> Dataset:
    try:
        return Dataset(
            id=described["id"],
            title=_text(described.get("title", described["id"])),
            description=_text(described.get("description", "")),
            licence=described.get("licence", ""),
            publisher=_link(described.get("publisher")),
            version=str(described.get("version", "")),
            attribution=_text(described.get("attribution", "")),
            sources=tuple(described.get("source", ())),
        )
    except (KeyError, TypeError) as fault:
        raise SheetError(path.name, f"{FILE} : {fault}") from fault


def _text(value: Any) -> Text:
    return Text(**value) if isinstance(value, dict) else Text(fr=str(value))


def _link(value: Any) -> str:
    return str(value.get("url", "")) if isinstance(value, dict) else str(value or "")


def _literals(text: Text) -> Iterator[Literal]:
    spoken = (("fr", text.fr), ("en", text.en))
    yield from (Literal(each, language=lang) for lang, each in spoken if each)
