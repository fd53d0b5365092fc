"""Authorities: who runs which space, with the SIREN that names it."""

from collections.abc import Iterable

from territories.sources import Authority, Row

SIREN_DIGITS = 9


def luhn(siren: str) -> bool:
    """Whether the last digit of a nine-digit SIREN is the right one."""
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(siren)]
    return len(siren) == SIREN_DIGITS and sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


class Authorities:
    """Who runs which space: by hand where the file says so, else by the rule of its kind."""

    def __init__(self, kept: Iterable[Authority]) -> None:
        self._by_space = {space: authority for authority in kept for space in authority.runs}

    def cells(self, space: str, name: str, kind: str, siren: str = "") -> Row:
        """Return the authority's cells in the row of `space`; none if it stands in a row apart."""
        authority = self._by_space.get(space)
        if authority is None:
            return authority_cells(name, kind, siren)
        if len(authority.runs) > 1:
            return {}
        return authority_cells(
            authority.name or name, authority.type or kind, authority.siren or siren
        )


def authority_cells(name: str, kind: str, siren: str) -> Row:
    return {"SIREN": siren, "Collectivité": name, "Type de collectivité": kind}


def authority_rows(kept: Iterable[Authority]) -> list[Row]:
    """Return the authorities that run several spaces."""
    return [
        {
            "Identifiant": authority.identifier,
            "Collectivité": authority.name,
            "SIREN": authority.siren,
            "Type de collectivité": authority.type,
            "Administre": listed(authority.runs),
        }
        for authority in sorted(kept, key=lambda authority: authority.runs)
        if len(authority.runs) > 1
    ]


def listed(values: Iterable[str]) -> str:
    return " | ".join(values)
