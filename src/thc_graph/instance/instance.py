"""An instance: from its settings, what writes to its store."""

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from thc_graph.instance.settings import Resources, Settings, resources
from thc_graph.names.lexicon import NameFile
from thc_graph.schema.reading import read_schema
from thc_graph.search.index import Indexing
from thc_graph.store.library import Library
from thc_graph.store.snapshots.derivation import Derivation
from thc_graph.store.writes.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thc_graph.store.writes.mirror import Mirror


def repository(settings: Settings, files: Resources | None = None) -> Repository:
    """Return the store's repository; with the product's own schema and queries, unless told."""
    files = files or resources()
    schema = read_schema(files.ontology_folder, files.shapes_folder)
    library = Library(files.queries_folder)
    derivation = Derivation(library, settings.base)
    plain = Repository(settings.store, schema, derivation, lock_seconds=settings.lock_seconds)
    if not settings.is_ruled:
        return replace(plain, union=False, ruled=False)
    return replace(plain, artefacts=(Indexing(schema, library), NameFile(library)))


@contextmanager
def mirror(settings: Settings) -> "Iterator[Mirror]":
    """Give the remote engine that follows the store."""
    from thc_graph.store.engine.remote import credentials  # noqa: PLC0415
    from thc_graph.store.writes.mirror import Mirror  # noqa: PLC0415 - only a remote engine pays for it

    found = Mirror(
        settings.remote,
        settings.remote_update,
        settings.base,
        Library(resources().queries_folder),
        credentials(os.environ, "THC_REMOTE_UPDATE"),
        credentials(os.environ, "THC_REMOTE"),
    )
    try:
        yield found
    finally:
        found.close()
