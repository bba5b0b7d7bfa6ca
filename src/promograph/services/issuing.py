"""Use cases of issuing: one, many, and the same again."""

from collections.abc import Awaitable, Callable, Sequence

from promograph.domain.clock import Clock
from promograph.domain.codes.placeholders import Purpose, placeholder
from promograph.domain.codes.words import OURS, Words
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance, IssuanceKind, IssueOutcome, IssueRequest
from promograph.domain.issuing_many import Alike, samples
from promograph.domain.keys import are_keys, checked_key, checked_optional
from promograph.errors import BadInput, InputProblem
from promograph.services.batching import Gatherer
from promograph.services.telling import Telling
from promograph.store import issuing, promotions, reissuing
from promograph.store.databases.database import Connection, Database
from promograph.store.issue_calls import IssueCall, issue_call

MOST_AT_ONCE = 10_000
_HEAVY = 500


class Issuing:
    """Codes for customers. Refusals and bad input are outcomes; only faults of the store are raised."""

    def __init__(self, database: Database, clock: Clock, telling: Telling, words: Words = OURS) -> None:
        self._database = database
        self._clock = clock
        self._telling = telling
        self._words = words
        self._gatherer = Gatherer(self._issue)
        self._repeater = Gatherer(self._reissue)
        # One at a time, since they are large; gathered all the same, for the second try when a key was just taken.
        self._keyed_calls = Gatherer(self._issue_call, limit=1)

    async def issue(self, request: IssueRequest) -> IssueOutcome:
        problem = _fault(request)
        if problem is not None:
            return IssueOutcome(problem=problem)
        if request.purpose is not Purpose.LIVE:
            return (await self._rehearse([request]))[0]
        return await self._gatherer.submit(request)

    async def issue_many(self, requests: Sequence[IssueRequest], *, key: str | None = None) -> Sequence[IssueOutcome]:
        """One transaction for all of them: an outcome each, in their order. `key` is the call's idempotency key."""
        checked_optional(key, "idempotencyKey")
        return await _of_the_good(requests, lambda good: self._answer(good, key))

    async def reissue(self, request: IssueRequest) -> IssueOutcome:
        problem = _fault(request)
        if problem is not None:
            return IssueOutcome(problem=problem)
        if request.purpose is not Purpose.LIVE:
            return (await self._rehearse([request]))[0]
        return await self._repeater.submit(request)

    async def reissue_many(self, requests: Sequence[IssueRequest]) -> Sequence[IssueOutcome]:
        """As `issue_many`, each the code that its customer was given last. All have one purpose."""
        is_live = all(request.purpose is Purpose.LIVE for request in requests)
        return await _of_the_good(requests, self._reissue if is_live else self._rehearse)

    async def _answer(self, requests: Sequence[IssueRequest], key: str | None) -> Sequence[IssueOutcome]:
        if not requests:
            return []
        if any(request.purpose is not Purpose.LIVE for request in samples(requests)):
            return await self._answer_apart(requests, key)
        if key is not None or any(request.idempotency_key for request in samples(requests)):
            return await self._keyed_calls.submit(IssueCall(requests=requests, idempotency_key=key))
        return await self._issue(requests)

    async def _answer_apart(self, requests: Sequence[IssueRequest], key: str | None) -> Sequence[IssueOutcome]:
        """Those that are meant, and those that are not."""
        live = [request for request in requests if request.purpose is Purpose.LIVE]
        rehearsed = [request for request in requests if request.purpose is not Purpose.LIVE]
        meant = iter(await self._answer(live, key))
        shown = iter(await self._rehearse(rehearsed))
        return [next(meant if request.purpose is Purpose.LIVE else shown) for request in requests]

    async def _issue_call(self, calls: Sequence[IssueCall]) -> Sequence[Sequence[IssueOutcome]]:
        now = self._clock()
        answers = await self._database.write(
            lambda connection: [issue_call(connection, call, now, self._words) for call in calls], heavy=True
        )
        for outcomes in answers:
            self._telling.issued(outcomes)
        return answers

    async def _issue(self, requests: Sequence[IssueRequest]) -> Sequence[IssueOutcome]:
        now = self._clock()
        outcomes = await self._database.write(
            lambda connection: issuing.issue(connection, requests, now, self._words), heavy=len(requests) > _HEAVY
        )
        self._telling.issued(outcomes)
        return outcomes

    async def _reissue(self, requests: Sequence[IssueRequest]) -> Sequence[IssueOutcome]:
        now = self._clock()
        return await self._database.write(
            lambda connection: reissuing.reissue(connection, requests, now), heavy=len(requests) > _HEAVY
        )

    async def _rehearse(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        """TEST and PREVIEW: a placeholder each, and nothing is counted."""
        now = self._clock()

        def work(connection: Connection) -> list[IssueOutcome]:
            known = promotions.by_handle(connection, sorted({request.promotion for request in requests}))
            outcomes = []
            for request in requests:
                promotion = known.get(request.promotion)
                if promotion is None:
                    outcomes.append(IssueOutcome(problem=issuing.unknown_promotion(request.promotion)))
                    continue
                shown = Issuance(
                    promotion_id=promotion.id,
                    handle=promotion.terms.handle,
                    number=0,
                    seq=SHARED_SEQ,
                    text=placeholder(request.promotion, request.customer),
                    customer=request.customer,
                    kind=IssuanceKind.INITIAL,
                    issued_at=now,
                    expires_at=promotion.expiry(now),
                    channel=request.channel,
                    send=request.send,
                    purpose=request.purpose,
                )
                outcomes.append(IssueOutcome(issuance=shown))
            return outcomes

        return await self._database.read(work)


async def _of_the_good(
    requests: Sequence[IssueRequest], answer: Callable[[Sequence[IssueRequest]], Awaitable[Sequence[IssueOutcome]]]
) -> Sequence[IssueOutcome]:
    """An outcome each, in their order; `answer` sees those alone that can be read."""
    if len(requests) > MOST_AT_ONCE:
        raise BadInput(
            InputProblem.TOO_MANY,
            f"One call takes at most {MOST_AT_ONCE:,} customers; this one has {len(requests):,}.",
            field=("customers",),
        )
    if isinstance(requests, Alike) and _are_good(requests):
        return await answer(requests)
    outcomes: list[IssueOutcome | None] = [None] * len(requests)
    good: list[int] = []
    fine = set[tuple[str | bool | None, ...]]()
    for place, request in enumerate(requests):
        problem = _fault(request, fine)
        if problem is None:
            good.append(place)
        else:
            outcomes[place] = IssueOutcome(problem=problem)
    answered = await answer([requests[place] for place in good]) if good else []
    for place, outcome in zip(good, answered, strict=True):
        outcomes[place] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _are_good(many: Alike) -> bool:
    try:
        _check_common(many.like)
    except BadInput:
        return False
    return are_keys(many.customers)


def _fault(request: IssueRequest, fine: set[tuple[str | bool | None, ...]] | None = None) -> BadInput | None:
    """What cannot be read of it. `fine` remembers what requests of one call have in common, all but the customer."""
    keys = (request.promotion, request.send, request.message, request.channel, request.idempotency_key)
    common = (*keys, request.tentative)
    try:
        if fine is None or common not in fine:
            _check_common(request)
        if fine is not None:
            fine.add(common)
        checked_key(request.customer, "customer")
    except BadInput as problem:
        return problem
    return None


def _check_common(request: IssueRequest) -> None:
    """All but the customer. BadInput."""
    checked_key(request.promotion, "promotion")
    checked_optional(request.send, "send")
    checked_optional(request.message, "message")
    checked_optional(request.channel, "channel", longest=64)
    checked_optional(request.idempotency_key, "idempotencyKey")
    if request.tentative:
        checked_key(request.message or "", "message")
        checked_key(request.channel or "", "channel", longest=64)
