"""API tokens: made, found again, revoked."""

import asyncio
import secrets
import time
from collections.abc import Iterable
from hashlib import sha256

from promograph.domain.access import NOBODY, Caller, Scope
from promograph.domain.clock import Clock
from promograph.domain.keys import checked_key
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.store import tokens
from promograph.store.databases.database import Database
from promograph.store.tokens import Token

_PREFIX = "pmg_"
_MOST_REMEMBERED = 1024
REVOKED_WITHIN_SECONDS = 2.0
"""A server remembers a token it has seen for so long; a revoked one is refused everywhere after that."""


class Access:
    """Tokens have 256 random bits, so that their plain SHA-256 is safe to keep and quick to compare."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._remembered: dict[str, tuple[float, Caller]] = {}
        self._looking: dict[str, asyncio.Task[Caller]] = {}

    async def create(self, name: str, scopes: Iterable[Scope]) -> tuple[str, Token]:
        """The token's text, which is shown this once, and what is kept of it."""
        checked_key(name, "name", longest=64)
        wanted = frozenset(scopes)
        if not wanted:
            raise BadInput(InputProblem.REQUIRED, "A token needs at least one scope.", field=("scopes",))
        text = _PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        token = await self._database.write(
            lambda connection: tokens.insert(connection, name, _digest(text), wanted, now)
        )
        if token is None:
            raise BadInput(
                InputProblem.TAKEN, f"A token named {name!r} exists; names are not used twice.", field=("name",)
            )
        return text, token

    async def every(self) -> list[Token]:
        return await self._database.read(tokens.every)

    async def revoke(self, name: str) -> Token:
        now = self._clock()
        token = None
        if is_storable(name):
            token = await self._database.write(lambda connection: tokens.revoke(connection, name, now))
        if token is None:
            raise BadInput(InputProblem.NOT_FOUND, f"No live token is named {name!r}.", field=("name",))
        self._remembered.clear()
        return token

    async def caller(self, text: str) -> Caller:
        """Who sent this token; NOBODY for one that is unknown or revoked."""
        digest = _digest(text)
        seen_at, caller = self._remembered.get(digest, (0.0, NOBODY))
        if caller is not NOBODY and time.monotonic() - seen_at < REVOKED_WITHIN_SECONDS:
            return caller
        # Whoever comes while a token is looked up waits for that answer: else every request in flight would ask.
        return await asyncio.shield(self._looking.get(digest) or self._begin_looking(digest))

    def _begin_looking(self, digest: str) -> "asyncio.Task[Caller]":
        self._looking[digest] = asyncio.create_task(self._look(digest))
        return self._looking[digest]

    async def _look(self, digest: str) -> Caller:
        asked_at = time.monotonic()
        try:
            token = await self._database.read(lambda connection: tokens.by_digest(connection, digest))
        finally:
            del self._looking[digest]
        self._remembered.pop(digest, None)
        if token is None:
            return NOBODY
        caller = Caller(name=token.name, scopes=token.scopes)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = (asked_at, caller)
        return caller


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
