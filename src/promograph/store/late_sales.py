"""Sales that are reported late: decided as of when they were made, as far as a clock decides.

What is limited (uses, budget) and what a person has stopped since is as it is now: the one may never be passed, and of
the other whoever has a checkout's token could go back before the stop. A sale that is turned down has happened all the
same, so an event tells of it, once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.events import EventKind
from promograph.domain.redeeming import RedeemCall, RedeemOutcome, RedeemRequest
from promograph.store import events, redeeming, replays
from promograph.store.subjects import Subjects
from promograph.store.tables.instants import to_micros

_TOLD = "saleRefused"


def redeem(connection: Connection, request: RedeemRequest, now: datetime) -> RedeemOutcome:
    """One that has `redeemed_at` and an idempotency key."""
    (outcome,) = redeeming.redeem(connection, [request], now, request.redeemed_at)
    _tell(connection, RedeemCall(requests=(request,), idempotency_key=request.idempotency_key), [outcome], now)
    return outcome


def redeem_call(connection: Connection, call: RedeemCall, now: datetime) -> list[RedeemOutcome]:
    """The outcomes of one that has `redeemed_at` and an idempotency key."""
    (outcomes,) = redeeming.redeem_calls(connection, [call], now, call.redeemed_at)
    _tell(connection, call, outcomes, now)
    return outcomes


def _tell(connection: Connection, call: RedeemCall, outcomes: Sequence[RedeemOutcome], now: datetime) -> None:
    key, sold_at = call.idempotency_key, call.redeemed_at
    assert key is not None and sold_at is not None, "what is reported late has both"
    refused = [refusal.code.value for outcome in outcomes for refusal in outcome.refusals]
    # Looked up by itself: the refusal may have been the answer to a first try, which never reached the shop.
    if not refused or replays.is_known(connection, _TOLD, key):
        return
    replays.remember(connection, _TOLD, key, key, refused, to_micros(now))
    subjects = Subjects.looked_at(connection, call.requests, now)
    about = {"key": key, "soldAt": sold_at.isoformat(), "refusals": refused}
    told = _by_promotion(subjects, call).items()
    events.append(connection, [(EventKind.SALE_REFUSED, id_, {**about, "sales": sales}) for id_, sales in told], now)


def _by_promotion(subjects: Subjects, call: RedeemCall) -> dict[int, list[dict[str, Any]]]:
    """What was sold, without the person, by the promotion that it was of. What is of none, nobody here can mend."""
    found: dict[int, list[dict[str, Any]]] = {}
    for request in call.requests:
        subject, discount = subjects.of(request), request.discount
        if subject is None:
            continue
        said = {
            "code": request.code or (subject.code and subject.code.text),
            "order": request.order,
            "channel": request.channel,
            "discount": discount and {"amount": discount.amount, "currency": discount.currency},
        }
        found.setdefault(subject.promotion.id, []).append({name: one for name, one in said.items() if one is not None})
    return found
