"""GeoJSON (RFC 7946)."""


def feature(
    iri: str, place: tuple[float, float] | None, name: str | None, page: str
) -> dict[str, object]:
    """Return one place as GeoJSON; `place` is a latitude and a longitude."""
    return {
        "type": "Feature",
        "id": iri,
        "geometry": _point(place),
        "properties": {"name": name, "url": page},
    }


def _point(place: tuple[float, float] | None) -> dict[str, object] | None:
    return {"type": "Point", "coordinates": [place[1], place[0]]} if place else None
