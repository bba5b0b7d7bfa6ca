"""Bringing the uses of codes to where the orders that name them are: one transaction for any number of orders."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.codes import normalise
from promograph.domain.orders.heard import Aim, aim
from promograph.domain.orders.news import OrderNews, OrderState
from promograph.domain.orders.reports import OrderCodeState, OrderReport, objections
from promograph.domain.pauses import pause_after
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, RollbackRequest
from promograph.domain.refusals import RefusalCode
from promograph.store import histories, locking, redeeming, rolling_back
from promograph.store.orders import files, finding
from promograph.store.orders.files import CodeFile, OrderFile
from promograph.store.orders.finding import Sale
from promograph.store.places import Place

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(days=1)
_TRIED_FOR = timedelta(days=30)
_BY_THE_CLOCK = frozenset(
    {
        RefusalCode.NOT_STARTED,
        RefusalCode.EXPIRED,
        RefusalCode.OUTSIDE_WINDOW,
        RefusalCode.CONDITION_FAILED,
        RefusalCode.NOT_IN_SEGMENT,
        RefusalCode.CUSTOMER_CAP_REACHED,
        RefusalCode.PROMOTION_INACTIVE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """`reports` in the order of the news, None where an order names no code of ours. `redeemed` are told to plugins.

    `freed`: codes of which these orders have given back a use, that another order may have been refused.
    """

    reports: list[OrderReport | None] = field(default_factory=list)
    redeemed: list[RedeemOutcome] = field(default_factory=list)
    freed: frozenset[Place] = frozenset()


@dataclass(slots=True)
class _Task:
    """One code in one order, and what is to stand of its use."""

    order: OrderFile
    code: CodeFile
    aim: Aim

    @property
    def redemption(self) -> tuple[int, int]:
        """Its promotion and number there; for one that was redeemed."""
        return self.code.place[0], self.code.redemption or 0

    @property
    def sale(self) -> Sale:
        return *self.code.place, self.order.order


def hear(connection: Connection, channel: str, news: Sequence[OrderNews], now: datetime) -> Worked:
    """Put the news to what was heard before, and redeem and roll back what follows from all of it."""
    opened = files.opened(connection, channel, news, now)
    redeemed = _work(connection, opened.values(), now)
    found = (opened[one.shop, one.order] for one in news)
    return Worked(
        reports=[order.report if order.codes else None for order in found],
        redeemed=redeemed,
        freed=_freed(opened.values()),
    )


def again(connection: Connection, ids: Iterable[int], now: datetime) -> Worked:
    """Try once more what was refused in these orders; reports in the order of their ids."""
    opened = files.opened_by_id(connection, ids)
    redeemed = _work(connection, opened.values(), now)
    return Worked(reports=[order.report for order in opened.values()], redeemed=redeemed)


def _freed(orders: Iterable[OrderFile]) -> frozenset[Place]:
    codes = (code for order in orders for code in order.codes.values())
    return frozenset(code.place for code in codes if code.state is OrderCodeState.ROLLED_BACK)


def _work(connection: Connection, orders: Collection[OrderFile], now: datetime) -> list[RedeemOutcome]:
    tasks = [_Task(order, code, aim(order.heard, key)) for order in orders for key, code in order.codes.items()]
    standing = [task for task in tasks if task.code.state is OrderCodeState.REDEEMED]
    wanting = [task for task in tasks if task.code.state is not OrderCodeState.REDEEMED and task.aim.stands]
    for task in tasks:
        if task.aim.stands is False and task.code.state in (OrderCodeState.WAITING, OrderCodeState.REFUSED):
            _put(task.code, OrderCodeState.UNUSED)
        elif task.aim.stands is None and task.code.state is OrderCodeState.REFUSED:
            _put(task.code, OrderCodeState.WAITING)  # the order is no longer such that its codes count
    if standing or wanting:
        # All at once and before anything else: undoing and redeeming lock theirs, each in the order of ids.
        locking.by_id(connection, {task.code.place[0] for task in (*standing, *wanting)})
    _undo(connection, standing, now)
    redeemed = _redeem(connection, wanting, now)
    _undo(connection, [task for task in wanting if task.code.state is OrderCodeState.REDEEMED], now)
    files.save(connection, orders, now)
    return redeemed


def _put(code: CodeFile, state: OrderCodeState) -> None:
    code.state, code.objections, code.tries, code.due_at = state, (), 0, None


def _undo(connection: Connection, tasks: Sequence[_Task], now: datetime) -> None:
    """Roll back as much of these redemptions as is not undone yet, by whomever."""
    aimed = [task for task in tasks if task.aim.stands is not None]
    places = {task.redemption for task in aimed}
    redemptions = histories.redemptions_at(connection, places)
    rollbacks = rolling_back.rollbacks_of(connection, places)
    requests: list[RollbackRequest] = []
    for task in aimed:
        redemption, earlier = redemptions[task.redemption], rollbacks[task.redemption]
        is_over = bool(earlier) and earlier[-1].is_whole
        if not task.aim.stands:
            _put(task.code, OrderCodeState.ROLLED_BACK)
            requests += [] if is_over else [_rollback(task, None)]
        elif redemption.discount is not None and not is_over:
            # Staff may have undone a part of it already, for the very reason that the shop tells of.
            more = task.aim.undone_of(redemption.discount.minor) - rolling_back.undone_by(earlier)
            requests += [_rollback(task, replace(redemption.discount, minor=more))] if more > 0 else []
    if requests:
        rolling_back.roll_back(connection, requests, now)


def _rollback(task: _Task, amount: Money | None) -> RollbackRequest:
    order = task.order
    standing = order.heard.standing
    is_cancelled = standing is not None and standing.state is OrderState.CANCELLED
    return RollbackRequest(
        promotion_id=task.redemption[0],
        number=task.redemption[1],
        amount=amount,
        reason=f"{order.shop}: order {order.name or order.order} was {'cancelled' if is_cancelled else 'refunded'}",
    )


def _redeem(connection: Connection, tasks: Iterable[_Task], now: datetime) -> list[RedeemOutcome]:
    """The order that is the older one comes first."""
    wanting = sorted(tasks, key=lambda task: (task.order.heard.said_at or now, task.order.id))
    if not wanting:
        return []
    requests = [_request(task) for task in wanting]
    outcomes = [
        _as_of_the_sale(connection, task, request, outcome, now)
        for task, request, outcome in zip(wanting, requests, redeeming.redeem(connection, requests, now), strict=True)
    ]
    adopted = finding.redeemed_already(
        connection,
        [task.sale for task, outcome in zip(wanting, outcomes, strict=True) if outcome.redemption is None],
    )
    for task, outcome in zip(wanting, outcomes, strict=True):
        number = adopted.get(task.sale) if outcome.redemption is None else outcome.redemption.number
        if number is None:
            _refuse(task, outcome, now)
            continue
        _put(task.code, OrderCodeState.REDEEMED)
        task.code.redemption = number
    return outcomes


def _as_of_the_sale(
    connection: Connection, task: _Task, request: RedeemRequest, outcome: RedeemOutcome, now: datetime
) -> RedeemOutcome:
    """What the clock says no to now it may have said yes to then. Few are, so that each may be asked by itself."""
    standing = task.order.heard.standing
    sold_at = None if standing is None else standing.sold_at
    is_late = any(refusal.code in _BY_THE_CLOCK for refusal in outcome.refusals)
    if not is_late or sold_at is None or not now - _TRIED_FOR <= sold_at < now:
        return outcome
    (late,) = redeeming.redeem(connection, [request], now, sold_at)
    return late


def _request(task: _Task) -> RedeemRequest:
    standing, key = task.order.heard.standing, task.code.key
    assert standing is not None, "nothing is aimed at without one"
    entered = [code for code in standing.codes if normalise(code.code) == key]
    discounts = [code.discount for code in entered if code.discount is not None]
    return RedeemRequest(
        code=entered[0].code,
        customer=task.order.customer,
        cart=standing.cart(task.order.shop),
        order=task.order.order,
        order_amount=standing.money(standing.total),
        discount=standing.money(sum(discounts) if discounts else None),
        channel=task.order.channel,
    )


def _refuse(task: _Task, outcome: RedeemOutcome, now: datetime) -> None:
    """The sale has happened: what is refused today may be mended tomorrow, by hand or by itself."""
    code = task.code
    code.state, code.objections = OrderCodeState.REFUSED, objections(outcome)
    code.tries += 1
    pause = pause_after(code.tries, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
    code.due_at = now + pause if now < task.order.heard_at + _TRIED_FOR else None
