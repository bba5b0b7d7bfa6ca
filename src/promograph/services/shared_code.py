"""The code that everybody shares: set, changed and taken away, as long as nobody was given it."""

from promograph.domain.codes import check_text, normalise
from promograph.domain.codes.placeholders import RESERVED, is_placeholder
from promograph.domain.promotions import CodeKind, Promotion, PromotionTerms
from promograph.errors import BadInput, InputProblem
from promograph.store import shared_codes, stock
from promograph.store.databases.database import Connection
from promograph.store.shared_codes import SharedCode
from promograph.store.stock import Stock


def set_shared_code(
    connection: Connection, before: Promotion, terms: PromotionTerms, text: str | None, counters: Stock
) -> None:
    """Give the promotion this shared code (or none), and count it where it is the promotion's only one.

    `terms` are the promotion's new terms, `before` has the old ones; `counters` are locked.
    """
    there = shared_codes.one(connection, before.id)
    text = None if text is None else text.strip()
    same = there is not None and there.text == text
    if not same:
        _replace(connection, before, there, text, terms.code_kind, counters)
    _count(counters, before.terms.code_kind, there, -1)
    after = None if text is None else there if same else SharedCode(text)
    _count(counters, terms.code_kind, after, +1)
    stock.save(connection, [counters])


def _count(counters: Stock, kind: CodeKind, shared: SharedCode | None, step: int) -> None:
    """A SINGLE promotion's code is in the counts; a fallback is not. One that was given out stays where it is."""
    if shared is None or kind is not CodeKind.SINGLE or counters.issued:
        return
    if shared.void:
        counters.void += step
    elif shared.blocked:
        counters.blocked += step
    else:
        counters.available += step


def _replace(
    connection: Connection,
    promotion: Promotion,
    there: SharedCode | None,
    text: str | None,
    kind: CodeKind,
    counters: Stock,
) -> None:
    if there is not None and (_was_given(promotion, counters) or there.uses):
        raise BadInput(
            InputProblem.STATE, "The code that everybody shares has been given out; it cannot change.", field=("code",)
        )
    shared_codes.delete(connection, promotion.id)
    if text is not None:
        _insert(connection, promotion.id, text, kind)


def _was_given(promotion: Promotion, counters: Stock) -> bool:
    is_single = promotion.terms.code_kind is CodeKind.SINGLE
    return (counters.issuances if is_single else counters.fallback_issued) > 0


def _insert(connection: Connection, promotion_id: int, text: str, kind: CodeKind) -> None:
    field = "code" if kind is CodeKind.SINGLE else "fallbackCode"
    fault = check_text(text)
    if fault is None and is_placeholder(normalise(text)):
        fault = RESERVED
    if fault is not None:
        raise BadInput(InputProblem.INVALID, fault, field=(field,))
    if not shared_codes.insert(connection, promotion_id, text):
        raise BadInput(InputProblem.TAKEN, "This code is in use already, here or in another promotion.", field=(field,))
