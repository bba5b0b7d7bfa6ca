"""The whole core against a small model of it: random histories, every answer and every counter compared.

The model is written from the words of the domain (kinds, occasions, caps, windows, expiries, blocks, keys) and shares
no rule with the product. It does not say which free code comes next where blocking has disturbed the line, only that
it was free; everything else it knows exactly.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from promograph.domain.codes.formats import CodeFormat
from promograph.domain.issuing import IssuanceKind, IssueOutcome, IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, PromotionTerms
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, ValidateRequest, Validation
from promograph.domain.stock.changes import CodeChange
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.promoting import Draft

from .world import SetClock, why

T = TypeVar("T")

START = datetime(2027, 3, 1, 12, tzinfo=UTC)
CUSTOMERS = ("ann", "bob", "cy", "dee", "eve", "flo")
SENDS = ("s1", "s2", "s3")
KEYS = ("k1", "k2", "k3", "k4")


@dataclass
class Code:
    """What the model knows of one code; `place` is its turn in the line, None for a shared one."""

    text: str
    place: int | None
    blocked: bool = False
    uses: int = 0
    holder: str | None = None
    issued_at: datetime | None = None


@dataclass
class Offer:
    """What the model knows of one promotion."""

    id: int
    terms: PromotionTerms
    codes: list[Code] = field(default_factory=list)
    shared: Code | None = None
    state: str = "DRAFT"
    reason: str | None = None
    stopped: bool = False
    disturbed: bool = False  # something was blocked: which code comes next is no longer said
    given: dict[tuple[str, str], Code] = field(default_factory=dict)  # (customer, occasion) -> code
    latest: dict[str, Code] = field(default_factory=dict)
    repeated: dict[tuple[str, str], tuple[Code, datetime]] = field(default_factory=dict)  # (customer, message)
    redeemed_by: list[str | None] = field(default_factory=list)
    fallbacks: int = 0

    @property
    def single(self) -> bool:
        return self.terms.code_kind is CodeKind.SINGLE

    @property
    def customers(self) -> set[str]:
        return {customer for customer, _ in self.given}

    def status(self, now: datetime) -> str:
        window = self.terms.window
        if self.state in ("ACTIVE", "PAUSED") and window.ends_at is not None and now >= window.ends_at:
            return "ENDED"
        if self.state == "ACTIVE" and window.starts_at is not None and now < window.starts_at:
            return "SCHEDULED"
        return self.state

    def free(self) -> list[Code]:
        return [code for code in self.codes if code.holder is None and not code.blocked and not code.uses]

    def expiry(self, code: Code) -> datetime | None:
        ends = [self.terms.window.ends_at]
        if code.issued_at is not None and self.terms.valid_for is not None:
            ends.append(code.issued_at + self.terms.valid_for)
        return min((end for end in ends if end is not None), default=None)

    def refusals(self, code: Code, customer: str | None, now: datetime) -> set[str]:
        """Why this code may not be redeemed now."""
        found = set()
        status, terms = self.status(now), self.terms
        if status in ("DRAFT", "PAUSED", "ARCHIVED") or (status == "ENDED" and self.stopped):
            found.add("PROMOTION_INACTIVE")
        if code.blocked:
            found.add("CODE_BLOCKED")
        elif terms.code_kind is CodeKind.PERSONALIZED and code.place is not None and code.holder is None:
            found.add("NOT_ISSUED")
        expiry = self.expiry(code)
        if terms.window.starts_at is not None and now < terms.window.starts_at:
            found.add("NOT_STARTED")
        elif expiry is not None and now >= expiry:
            found.add("EXPIRED")
        if customer is None:
            if terms.holder_only or terms.uses_per_customer is not None:
                found.add("CUSTOMER_REQUIRED")
        elif terms.holder_only and code.holder not in (None, customer):
            found.add("NOT_HOLDER")
        is_fallback = code.place is None and not self.single
        if not is_fallback and terms.uses_per_code is not None and code.uses >= terms.uses_per_code:
            found.add("ALREADY_REDEEMED")
        cap = terms.uses_per_customer
        if customer is not None and cap is not None and self.redeemed_by.count(customer) >= cap:
            found.add("CUSTOMER_CAP_REACHED")
        return found

    def inventory(self, now: datetime) -> dict[str, Any]:
        counted = ([self.shared] if self.shared else []) if self.single else self.codes
        blocked = [code for code in counted if code.blocked]
        out = [
            code
            for code in counted
            if not code.blocked and (code.uses or code.holder is not None or (self.single and self.given))
        ]
        falls_back = not self.single and self.terms.on_empty is OnEmpty.FALLBACK and self.status(now) == "ACTIVE"
        available = len(counted) - len(blocked) - len(out)
        return {
            "total": len(counted),
            "available": available,
            "issued": len(out),
            "blocked": len(blocked),
            "redeemed": sum(code.uses > 0 for code in counted),
            "redemptions": len(self.redeemed_by),
            "customers": len(self.customers),
            "fallback_issued": self.fallbacks,
            "fallback_active": falls_back and available == 0,
        }


def durations() -> st.SearchStrategy[timedelta]:
    return st.sampled_from([timedelta(hours=2), timedelta(hours=5), timedelta(hours=9)])


def limits(*values: int) -> st.SearchStrategy[int | None]:
    return st.sampled_from([None, *values])


@st.composite
def offers(draw: st.DrawFn) -> dict[str, Any]:
    """Terms, and whether there is a shared code."""
    kind = draw(st.sampled_from(CodeKind))
    on_empty = OnEmpty.REFUSE if kind is CodeKind.SINGLE else draw(st.sampled_from(OnEmpty))
    begins, lasts = draw(st.sampled_from([None, None, None, timedelta(hours=1)])), draw(st.none() | durations())
    start = None if begins is None else START + begins
    return {
        "code_kind": kind,
        "on_empty": on_empty,
        "issue_policy": draw(st.sampled_from(IssuePolicy)),
        "window": Window(starts_at=start, ends_at=None if lasts is None else START + lasts),
        "valid_for": draw(st.none() | durations()),
        "audience_cap": draw(limits(1, 3)),
        "uses_per_code": draw(limits(1, 2)),
        "uses_per_customer": draw(limits(1, 2)),
        "holder_only": draw(st.booleans()),
    }


PLACES = st.integers(0, 1)
CODES = st.integers(-1, 5)
KEY = st.sampled_from([*[None] * 12, *KEYS])
CUSTOMER = st.sampled_from(CUSTOMERS)
WANTS = st.fixed_dictionaries(
    {
        "place": PLACES,
        "customer": CUSTOMER,
        "send": st.sampled_from([*SENDS * 3, None]),
        "message": st.sampled_from(["m1", "m2", "m3", "m4", "m5", None]),
        "key": KEY,
    }
)
USES = st.fixed_dictionaries(
    {
        "place": PLACES,
        "code": CODES,
        "customer": st.none() | CUSTOMER,
        "order": st.sampled_from(["o1", "o2"]),
        "key": KEY,
    }
)


class Core(RuleBasedStateMachine):
    """Two promotions of a store that many examples share: their names and codes are never used twice."""

    numbers = count(1)

    def __init__(self, runner: asyncio.Runner, services: Services, clock: SetClock) -> None:
        super().__init__()
        self._runner = runner
        self._services = services
        self._clock = clock
        self._clock.now = START
        self._number = next(self.numbers)
        self._kept: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._texts = count(1)
        self._offers: list[Offer] = []

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @property
    def _now(self) -> datetime:
        return self._clock.now

    @initialize(terms=st.tuples(offers(), offers()), codes=st.tuples(st.integers(0, 4), st.integers(0, 4)))
    def make(self, terms: tuple[dict[str, Any], ...], codes: tuple[int, ...]) -> None:
        for place, (one, size) in enumerate(zip(terms, codes, strict=True)):
            handle = f"m{self._number}-{place}"
            has_shared = one["code_kind"] is CodeKind.SINGLE or one["on_empty"] is OnEmpty.FALLBACK
            shared = f"M{self._number}-{place}-Shared" if has_shared else None
            look = CodeFormat(prefix=f"{handle}-made-", length=12)
            wanted = PromotionTerms(handle=handle, name=handle, code_format=look, **one)
            made = self._run(self._services.promoting.create(Draft(terms=wanted, shared_code=shared)))
            offer = Offer(id=made.id, terms=wanted, shared=None if shared is None else Code(shared, None))
            self._offers.append(offer)
            self._add(offer, size)
            self._move(offer, "activate")

    # What each act does to the model, and what the product must answer.

    def _add(self, offer: Offer, size: int) -> None:
        texts = [f"m{self._number}-{next(self._texts)}" for _ in range(size)]
        if not texts:
            return
        try:
            added = self._run(self._services.stocking.paste(offer.id, "\n".join(texts), channel=None))
        except BadInput as problem:
            assert problem.problem is InputProblem.STATE
            assert offer.single or offer.status(self._now) in ("ENDED", "ARCHIVED")
            return
        assert added.report.added == size
        offer.codes += [Code(text, place) for place, text in enumerate(texts, start=len(offer.codes))]

    @rule(place=PLACES, size=st.integers(1, 3))
    def add(self, place: int, size: int) -> None:
        self._add(self._offers[place], size)

    @rule(place=PLACES, act=st.sampled_from([*["activate"] * 12, *["pause"] * 3, "end", "stop", "archive"]))
    def move(self, place: int, act: str) -> None:
        self._move(self._offers[place], act)

    def _move(self, offer: Offer, act: str) -> None:
        promoting = self._services.promoting
        try:
            if act in ("end", "stop"):
                self._run(promoting.end(offer.id, stop_redeeming=act == "stop"))
            else:
                self._run(getattr(promoting, act)(offer.id))
        except BadInput as problem:
            assert problem.problem is InputProblem.STATE
            assert not self._may(offer, act), act
            return
        assert self._may(offer, act), act
        if act in ("end", "stop"):
            derived = offer.status(self._now) == "ENDED" and offer.state != "ENDED"
            offer.reason = "WINDOW_OVER" if derived else (offer.reason or "BY_HAND")
            offer.stopped = offer.stopped or act == "stop"
        offer.state = {"activate": "ACTIVE", "pause": "PAUSED", "archive": "ARCHIVED"}.get(act, "ENDED")

    def _may(self, offer: Offer, act: str) -> bool:
        status = offer.status(self._now)
        if act == "activate" and offer.terms.on_empty is OnEmpty.REFUSE and not (offer.single or offer.codes):
            return False
        return {
            "activate": status in ("DRAFT", "PAUSED"),
            "pause": status in ("ACTIVE", "SCHEDULED"),
            "archive": status in ("DRAFT", "ENDED"),
        }.get(act, status in ("ACTIVE", "SCHEDULED", "PAUSED", "ENDED"))

    @rule(minutes=st.sampled_from([1, 30, 60, 120]))
    def wait(self, minutes: int) -> None:
        self._clock.move(minutes=minutes)

    @rule(place=PLACES, numbers=st.lists(CODES, min_size=1, max_size=4), blocked=st.booleans())
    def block(self, place: int, numbers: list[int], blocked: bool) -> None:
        offer = self._offers[place]
        codes = [code for number in numbers if (code := self._code(offer, number)) is not None]
        changed, missing = self._run(
            self._services.changing.listed(
                [code.text.swapcase() for code in codes], CodeChange.BLOCK if blocked else CodeChange.UNBLOCK
            )
        )
        assert missing == []
        changing = {code.text for code in codes if code.blocked is not blocked}
        assert changed == len(changing)
        offer.disturbed = offer.disturbed or bool(changing)
        for code in codes:
            code.blocked = blocked

    def _code(self, offer: Offer, number: int) -> Code | None:
        """The code of that number, wrapped around; -1 is the shared one."""
        if number < 0 or not offer.codes:
            return offer.shared
        return offer.codes[number % len(offer.codes)]

    # Issuing

    def _request(self, want: dict[str, Any], *, keyed: bool = True) -> IssueRequest:
        key = want["key"] if keyed else None
        return IssueRequest(
            promotion=self._offers[want["place"]].terms.handle,
            customer=want["customer"],
            send=want["send"],
            message=want["message"],
            idempotency_key=None if key is None else f"m{self._number}-{key}",
        )

    @rule(want=WANTS)
    def issue(self, want: dict[str, Any]) -> None:
        request = self._request(want)
        outcome = self._run(self._services.issuing.issue(request))
        if not self._is_repeat("issue", request, outcome):
            self._check_issue([request], [outcome])
            self._keep("issue", request, outcome)

    @rule(wants=st.lists(WANTS, min_size=3, max_size=9))
    def issue_many(self, wants: list[dict[str, Any]]) -> None:
        requests = [self._request(want, keyed=False) for want in wants]
        self._check_issue(requests, self._run(self._services.issuing.issue_many(requests)))

    def _is_repeat(self, operation: str, request: Any, outcome: Any) -> bool:
        """Whether the key was seen before; the answer must then be the first one again, or say that it was reused."""
        kept = self._kept.get((operation, request.idempotency_key))
        if request.idempotency_key is None or kept is None:
            return False
        if kept[0] != request:
            assert why(outcome) == ["KEY_REUSED"]
        else:
            assert outcome == replace(kept[1], replayed=True)
        return True

    def _keep(self, operation: str, request: Any, outcome: Any) -> None:
        if request.idempotency_key is not None and not isinstance(outcome.problem, BadInput):
            self._kept[operation, request.idempotency_key] = (request, outcome)

    def _check_issue(self, requests: Sequence[IssueRequest], outcomes: Sequence[IssueOutcome]) -> None:
        # A cap that is reached ends its promotion when the transaction is over, not within it.
        full = []
        for request, outcome in zip(requests, outcomes, strict=True):
            offer = next(one for one in self._offers if one.terms.handle == request.promotion)
            self._check_one(offer, request, outcome)
            cap = offer.terms.audience_cap
            if cap is not None and outcome.issuance and not outcome.replayed and len(offer.customers) >= cap:
                full.append(offer)
        for offer in full:
            offer.state, offer.reason = "ENDED", "AUDIENCE_CAP"

    def _check_one(self, offer: Offer, request: IssueRequest, outcome: IssueOutcome) -> None:
        occasion = self._occasion(offer, request)
        if occasion is None:
            assert why(outcome) == ["REQUIRED"]
            return
        before = offer.given.get((request.customer, occasion))
        if before is not None:
            assert outcome.issuance is not None
            assert (outcome.issuance.text, outcome.replayed) == (before.text, True)
            return
        expected = self._issue_refusal(offer, request.customer)
        if expected is not None:
            assert why(outcome) == [expected]
            return
        assert why(outcome) == []
        assert not outcome.replayed
        self._take(offer, request, occasion, outcome)

    def _occasion(self, offer: Offer, request: IssueRequest) -> str | None:
        if offer.terms.issue_policy is IssuePolicy.PER_CUSTOMER:
            return "once"
        if offer.terms.issue_policy is IssuePolicy.PER_SEND:
            return request.send
        return request.message or request.idempotency_key

    def _issue_refusal(self, offer: Offer, customer: str) -> str | None:
        status = offer.status(self._now)
        if status == "SCHEDULED":
            return "NOT_STARTED"
        if status == "ENDED" and offer.state == "ENDED" and offer.reason == "AUDIENCE_CAP":
            return "AUDIENCE_CAP_REACHED"
        if status != "ACTIVE":
            return "PROMOTION_INACTIVE"
        cap = offer.terms.audience_cap
        if cap is not None and customer not in offer.customers and len(offer.customers) >= cap:
            return "AUDIENCE_CAP_REACHED"
        if offer.single:
            assert offer.shared is not None
            return "CODE_BLOCKED" if offer.shared.blocked else None
        if offer.free() or offer.terms.on_empty is OnEmpty.GENERATE:
            return None
        if offer.terms.on_empty is OnEmpty.FALLBACK and offer.shared is not None and not offer.shared.blocked:
            return None
        return "POOL_EMPTY"

    def _take(self, offer: Offer, request: IssueRequest, occasion: str, outcome: IssueOutcome) -> None:
        issuance = outcome.issuance
        assert issuance is not None
        assert (issuance.customer, issuance.issued_at) == (request.customer, self._now)
        code = self._chosen(offer, issuance.text)
        fallback = code is offer.shared and not offer.single
        assert issuance.kind is (IssuanceKind.FALLBACK if fallback else IssuanceKind.INITIAL)
        offer.fallbacks += fallback
        if code.place is not None:
            code.holder, code.issued_at = request.customer, self._now
        assert issuance.expires_at == offer.expiry(code)
        offer.given[request.customer, occasion] = code
        offer.latest[request.customer] = code

    def _chosen(self, offer: Offer, text: str) -> Code:
        """The code that was given: the next one in line, one made now, or the shared one."""
        free = offer.free()
        if offer.single or (not free and offer.terms.on_empty is OnEmpty.FALLBACK):
            assert offer.shared is not None
            assert text == offer.shared.text
            return offer.shared
        if not free:
            assert text.startswith(f"{offer.terms.handle}-made-")
            assert all(text != code.text for one in self._offers for code in one.codes)
            offer.codes.append(Code(text, len(offer.codes)))
            return offer.codes[-1]
        if not offer.disturbed:
            assert text == free[0].text
        return next(code for code in free if code.text == text)

    @rule(want=WANTS)
    def reissue(self, want: dict[str, Any]) -> None:
        request, offer = self._request(want), self._offers[want["place"]]
        outcome = self._run(self._services.issuing.reissue(request))
        if self._is_repeat("reissue", request, outcome):
            return
        self._keep("reissue", request, outcome)
        place = (request.customer, request.message) if request.message and not request.idempotency_key else None
        if place in offer.repeated:  # one message repeats a code once
            assert outcome.issuance is not None
            assert (outcome.issuance.text, outcome.replayed) == (offer.repeated[place][0].text, True)
            assert outcome.issuance.issued_at == offer.repeated[place][1]
            return
        code = offer.latest.get(request.customer)
        if code is None:
            assert why(outcome) == ["NOTHING_HELD"]
            return
        # One whose time has yet to come is fine, and how often its holder has used others is not asked.
        useless = offer.refusals(code, request.customer, self._now) - {"NOT_STARTED", "CUSTOMER_CAP_REACHED"}
        assert bool(why(outcome)) == bool(useless)
        assert set(why(outcome)) <= useless
        if outcome.issuance is not None:
            assert (outcome.issuance.text, outcome.issuance.kind) == (code.text, IssuanceKind.REPEAT)
            assert (outcome.issuance.issued_at, outcome.issuance.expires_at) == (self._now, offer.expiry(code))
            if place is not None:
                offer.repeated[place] = (code, self._now)

    # Redeeming

    def _use(self, use: dict[str, Any]) -> tuple[Offer, Code | None, RedeemRequest]:
        offer = self._offers[use["place"]]
        code = self._code(offer, use["code"])
        text = f"m{self._number}-none" if code is None else code.text
        key = None if use["key"] is None else f"m{self._number}-{use['key']}"
        return (
            offer,
            code,
            RedeemRequest(code=f" {text.upper()}", customer=use["customer"], order=use["order"], idempotency_key=key),
        )

    @rule(uses=st.lists(USES, min_size=1, max_size=6))
    def redeem(self, uses: list[dict[str, Any]]) -> None:
        """All at the same time: they share a transaction and are answered as if one came after the other."""
        asked = [self._use(use) for use in uses]

        async def together() -> list[RedeemOutcome]:
            redeeming = self._services.redeeming
            return list(await asyncio.gather(*(redeeming.redeem(request) for _, _, request in asked)))

        for (offer, code, request), outcome in zip(asked, self._run(together()), strict=True):
            self._check_redemption(offer, code, request, outcome)

    def _check_redemption(
        self, offer: Offer, code: Code | None, request: RedeemRequest, outcome: RedeemOutcome
    ) -> None:
        kept = self._kept.get(("redeem", request.idempotency_key or ""))
        if kept is not None and kept[0] == request:
            # In the very transaction that answered it first, the answer does not say that it is repeated.
            assert replace(outcome, replayed=True) == replace(kept[1], replayed=True)
            return
        if kept is not None:
            assert why(outcome) == ["KEY_REUSED"]
            return
        self._keep("redeem", request, outcome)
        if code is None:
            assert why(outcome) == ["NOT_FOUND"]
            return
        assert set(why(outcome)) == offer.refusals(code, request.customer, self._now)
        assert outcome.holder_named is (request.customer is not None and request.customer == code.holder)
        if outcome.redemption is not None:
            code.uses += 1
            offer.redeemed_by.append(request.customer)
            redemption = outcome.redemption
            assert (redemption.text, redemption.number) == (code.text, len(offer.redeemed_by))

    @rule(use=USES)
    def validate(self, use: dict[str, Any]) -> None:
        offer, code, request = self._use(use)
        asked = ValidateRequest(code=request.code, customer=request.customer)
        found: Validation = self._run(self._services.redeeming.validate(asked))
        if code is None:
            assert why(found) == ["NOT_FOUND"]
            return
        assert set(why(found)) == offer.refusals(code, request.customer, self._now)
        assert (found.text, found.expires_at) == (code.text, offer.expiry(code))
        limit = None if code.place is None and not offer.single else offer.terms.uses_per_code
        assert found.uses_left == (None if limit is None else limit - code.uses)

    # After every step

    @invariant()
    def counters_and_states_agree(self) -> None:
        ids = [offer.id for offer in self._offers]
        if not ids:
            return
        found = self._run(self._services.lobby.inventories(ids))
        promotions = self._run(self._services.lobby.get_many(ids))
        for offer in self._offers:
            counted = {name: getattr(found[offer.id], name) for name in offer.inventory(self._now)}
            assert counted == offer.inventory(self._now)
            promotion = promotions[offer.id]
            assert (promotion.status(self._now).value, promotion.stop_redeeming) == (
                offer.status(self._now),
                offer.stopped,
            )
            reason = promotion.end_reason(self._now)
            if offer.status(self._now) == "ENDED":
                assert reason is not None
                assert reason.value == (offer.reason if offer.state == "ENDED" else "WINDOW_OVER")

    def teardown(self) -> None:
        note(f"promotions m{self._number}-*")
        assert self._run(self._services.verify()) == []


def test_random_histories_agree_with_the_model(store_url: str) -> None:
    clock = SetClock()
    # A step takes three times as long where each statement goes over a socket.
    examples = 60 if store_url.startswith("sqlite") else 25
    with asyncio.Runner() as runner:
        services = Services.open(store_url, clock)
        runner.run(services.prepare())
        try:
            run_state_machine_as_test(
                lambda: Core(runner, services, clock),
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=40,
                    deadline=None,
                    print_blob=True,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            runner.run(services.close())
