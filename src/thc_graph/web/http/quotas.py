"""Quotas: how much processing and how many faults one client may have in a minute."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from thc_graph.instance.settings import Settings
from thc_graph.web.http.problems import Problem

MINUTE = 60.0
CLIENTS = 10_000  # remembered at most; the longest silent is forgotten first


@dataclass(slots=True)
class _Account:
    """What one client used in a minute, by the second: it never takes more than a few kB."""

    spent: list[tuple[int, float]] = field(default_factory=list)  # second, seconds
    failed: list[tuple[int, float]] = field(default_factory=list)  # second, how often
    reading: asyncio.Lock | None = None

    @staticmethod
    def note(uses: list[tuple[int, float]], use: float) -> None:
        now = int(time.monotonic())
        if uses and uses[-1][0] == now:
            use += uses.pop()[1]
        uses.append((now, use))

    @staticmethod
    def forget(uses: list[tuple[int, float]], start: float) -> None:
        while uses and uses[0][0] < start:
            del uses[0]


def _total(uses: list[tuple[int, float]]) -> float:
    return sum(use for _, use in uses)


@dataclass
class Quotas:
    """Accounts of clients, by address; kept in memory only."""

    settings: Settings
    _accounts: dict[str, _Account] = field(default_factory=dict)

    def admit(self, client: str) -> None:
        """Let a client in.

        Raises:
            Problem: 429 with the seconds to wait, where a budget is used up.
        """
        account, now = self._account(client), time.monotonic()
        if account.spent and _total(account.spent) >= self.settings.client_seconds:
            raise _too_many(account.spent[0][0], now)
        if account.failed and _total(account.failed) >= self.settings.client_failures:
            raise _too_many(account.failed[0][0], now)

    @asynccontextmanager
    async def reading(self, client: str) -> AsyncIterator[None]:
        """Let a client keep this process busy: one thing at a time, and charged."""
        self.admit(client)
        account = self._account(client)
        account.reading = account.reading or asyncio.Lock()
        async with account.reading:
            start = time.monotonic()
            try:
                yield
            finally:
                self.spend(client, time.monotonic() - start)

    def spend(self, client: str, seconds: float) -> None:
        account = self._account(client)
        account.note(account.spent, seconds)

    def fail(self, client: str) -> None:
        account = self._account(client)
        account.note(account.failed, 1)

    def _account(self, client: str) -> _Account:
        account = self._accounts.pop(client, None) or _Account()
        self._accounts[client] = account  # last in order: the most recent
        if len(self._accounts) > CLIENTS:
            del self._accounts[next(iter(self._accounts))]
        start = time.monotonic() - MINUTE
        account.forget(account.spent, start)
        account.forget(account.failed, start)
        return account


def quotas_of(request: Request) -> Quotas:
    quotas: Quotas = request.app.state.quotas
    return quotas


def _too_many(since: float, now: float) -> Problem:
    wait = max(1, int(since + MINUTE - now) + 1)
    return Problem(429, "TooMany", {"retry_after": wait}, {"Retry-After": str(wait)})
