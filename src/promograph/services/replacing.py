"""Use cases of codes that people have: another one in the place of theirs, an unseen one back to its pool."""

from collections.abc import Sequence
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.codes.words import OURS, Words
from promograph.domain.issuing import IssueOutcome
from promograph.domain.keys import checked_optional
from promograph.domain.refusals import Refusal, RefusalCode
from promograph.domain.sending.settling import ReturnedCode
from promograph.domain.stock.replacing import ReplaceRequest
from promograph.errors import BadInput, InputProblem
from promograph.services.keyed_writes import Once, write_again
from promograph.services.telling import Telling
from promograph.store import issuances, tentative
from promograph.store.codes import replacing
from promograph.store.databases.database import Connection, Database

MOST_AT_ONCE = 10_000
_HEAVY = 500


class Replacing:
    """Refusals are outcomes. Under an idempotency key the first answer is given again, ever after."""

    def __init__(self, database: Database, clock: Clock, telling: Telling, words: Words = OURS) -> None:
        self._database = database
        self._clock = clock
        self._telling = telling
        self._words = words

    async def replace(
        self, requests: Sequence[ReplaceRequest], *, operation: str, key: str | None = None
    ) -> list[IssueOutcome]:
        """An outcome a request, in their order: the issuance of the new code. One transaction for all of them."""
        checked_optional(key, "idempotencyKey")
        for request in requests:
            checked_optional(request.channel, "channel", longest=64)
            checked_optional(request.send, "send")
        if len(requests) > MOST_AT_ONCE:
            raise BadInput(InputProblem.TOO_MANY, f"One call takes at most {MOST_AT_ONCE:,} codes.", field=("codes",))
        now = self._clock()

        def work(connection: Connection) -> list[IssueOutcome]:
            once: Once[list[IssueOutcome]] = Once(
                operation=operation,
                key=key,
                asked=list(requests),
                now=now,
                dump=lambda outcomes: [issuances.dump_outcome(outcome) for outcome in outcomes],
                load=lambda kept: [issuances.load_outcome(outcome) for outcome in kept],
            )
            outcomes = once.answer(connection, lambda: replacing.replace_codes(connection, requests, now, self._words))
            return tentative.without_returned(connection, outcomes) if key else outcomes

        return await write_again(self._database, work, heavy=len(requests) > _HEAVY)

    async def give_back(self, text: str, *, key: str | None = None) -> Refusal | None:
        """Give an issued code that nobody has seen back to its pool; why not, if not."""
        checked_optional(key, "idempotencyKey")
        now = self._clock()
        returned: list[ReturnedCode] = []

        def give(connection: Connection) -> tuple[Refusal, ...]:
            outcome = replacing.return_code(connection, text, now)
            if isinstance(outcome, Refusal):
                return (outcome,)
            returned.append(outcome)
            return ()

        def work(connection: Connection) -> tuple[Refusal, ...]:
            returned.clear()  # of a try that came to nothing
            once: Once[tuple[Refusal, ...]] = Once(
                operation="codeReturn", key=key, asked=text, now=now, dump=_dumped, load=_loaded
            )
            return once.answer(connection, lambda: give(connection))

        refusals = await write_again(self._database, work)
        self._telling.returned(returned, now)
        return next(iter(refusals), None)


def _dumped(refusals: tuple[Refusal, ...]) -> Any:
    return [(refusal.code, dict(refusal.data)) for refusal in refusals]


def _loaded(kept: Any) -> tuple[Refusal, ...]:
    return tuple(Refusal(RefusalCode(code), data) for code, data in kept)
