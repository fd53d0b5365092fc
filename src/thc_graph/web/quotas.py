"""Quotas: how much processing and how many faults one client may have in a minute."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from thc_graph.settings import Settings
from thc_graph.web.problems import Problem

MINUTE = 60.0
CLIENTS = 10_000  # remembered at most; the longest silent is forgotten first


@dataclass
class _Account:
    spent: deque[tuple[float, float]] = field(default_factory=deque)  # when, seconds
    total: float = 0.0  # of the seconds spent
    failed: deque[float] = field(default_factory=deque)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


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
        if account.total >= self.settings.client_seconds:
            raise _too_many(account.spent[0][0], now)
        if len(account.failed) >= self.settings.client_failures:
            raise _too_many(account.failed[0], now)

    @asynccontextmanager
    async def reading(self, client: str) -> AsyncIterator[None]:
        """Let a client keep this process busy: one thing at a time, and charged."""
        self.admit(client)
        async with self._account(client).reading:
            start = time.monotonic()
            try:
                yield
            finally:
                self.spend(client, time.monotonic() - start)

    def spend(self, client: str, seconds: float) -> None:
        account = self._account(client)
        account.spent.append((time.monotonic(), seconds))
        account.total += seconds

    def fail(self, client: str) -> None:
        self._account(client).failed.append(time.monotonic())

    def _account(self, client: str) -> _Account:
        account = self._accounts.pop(client, None) or _Account()
        self._accounts[client] = account  # last in order: the most recent
        if len(self._accounts) > CLIENTS:
            del self._accounts[next(iter(self._accounts))]
        start = time.monotonic() - MINUTE
        while account.spent and account.spent[0][0] < start:
            account.total -= account.spent.popleft()[1]
        if not account.spent:
            account.total = 0.0  # without what rounding leaves behind
        while account.failed and account.failed[0] < start:
            account.failed.popleft()
        return account


def quotas_of(request: Request) -> Quotas:
    quotas: Quotas = request.app.state.quotas
    return quotas


def _too_many(since: float, now: float) -> Problem:
    wait = max(1, int(since + MINUTE - now) + 1)
    return Problem(429, "TooMany", {"retry_after": wait}, {"Retry-After": str(wait)})
