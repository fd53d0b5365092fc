"""RDF itself: terms, IRIs, formats, changes. Knows nothing of THC, disks or HTTP."""
