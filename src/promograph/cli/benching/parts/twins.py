"""A small promotion and a large one, alike but for the number of their codes: what is measured of one is of the other.

Both have codes of every state at both ends, and come of four batches with channels of their own.
"""

from dataclasses import dataclass
from datetime import timedelta

from promograph.cli.benching.failures import expect
from promograph.domain.codes.states import CodeState
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import Promotion, PromotionTerms
from promograph.domain.redeeming import RedeemRequest
from promograph.domain.stock.changes import CodeChange
from promograph.domain.stock.selections import CodeSelection
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.listing import Slice

_A_CALL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One of the two. `batches` from the newest to the oldest; `held` codes are issued and can be redeemed."""

    name: str
    size: int
    promotion: Promotion
    batches: tuple[int, ...]
    held: tuple[str, ...]

    def holder(self, number: int) -> str:
        return f"{self.name}-holder-{number}"


async def made(services: Services, name: str, size: int, *, small: int) -> Twin:
    """Of `small` codes a fifth is issued, and some are redeemed, blocked, void, expired; of `size` as many."""
    draft = Draft(terms=PromotionTerms(handle=name, name=name), shared_code=None)
    id_ = (await services.promoting.create(draft)).id
    last, third = small // 10, size // 3
    for part, channel in ((third, "web"), (size - 2 * third - last, "print"), (third, "sms"), (last, "last")):
        await services.stocking.generate(id_, part, None, channel=channel)
    promotion = await services.promoting.activate(id_)
    batches = tuple(row.id for _, row in (await services.stocking.batches(id_, Slice(count=9))).rows)
    twin = Twin(name=name, size=size, promotion=promotion, batches=batches, held=())
    await _issue(services, twin, small // 5)
    for code in await _texts(services, twin, small * 3 // 100, CodeState.ISSUED):
        outcome = await services.redeeming.redeem(RedeemRequest(code=code))
        expect(outcome.redemption is not None, "redeem", outcome)
    await _stop(services, twin, small // 50)
    now = services.clock()
    await services.changing.expire(batches[0], now - timedelta(hours=1))
    await services.changing.expire(batches[1], now + timedelta(days=100))
    held = await _texts(services, twin, small * 3 // 20, CodeState.ISSUED)
    return Twin(name=name, size=size, promotion=promotion, batches=batches, held=tuple(held))


async def _issue(services: Services, twin: Twin, count: int) -> None:
    for start in range(0, count, _A_CALL):
        numbers = range(start, min(start + _A_CALL, count))
        requests = [IssueRequest(promotion=twin.name, customer=twin.holder(number)) for number in numbers]
        for outcome in await services.issuing.issue_many(requests):
            expect(outcome.issuance is not None, "issue", outcome)


async def _stop(services: Services, twin: Twin, count: int) -> None:
    """Block codes at the end, and make as many void that lie before them."""
    selection = CodeSelection(promotion=twin.promotion)
    page = await services.stocking.codes(selection, Slice(count=count * 2, backward=True))
    texts = [standing.text for _, standing in page.rows]
    await services.changing.listed(texts[:count], CodeChange.BLOCK)
    await services.changing.listed(texts[count:], CodeChange.VOID)


async def _texts(services: Services, twin: Twin, count: int, state: CodeState) -> list[str]:
    selection = CodeSelection(promotion=twin.promotion, states=frozenset({state}))
    return [standing.text for _, standing in (await services.stocking.codes(selection, Slice(count=count))).rows]
