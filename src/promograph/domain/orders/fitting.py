"""What a shop says, cut down to what can be kept: a sale has happened, whatever else is odd about it."""

from dataclasses import replace

from promograph.domain.carts import LARGEST_AMOUNT, check_currency, checked_cart
from promograph.domain.codes import normalise
from promograph.domain.keys import checked_key, checked_optional
from promograph.domain.orders.news import OrderCode, OrderNews, OrderRefund, OrderStanding
from promograph.domain.stacking import MOST_TOGETHER
from promograph.errors import BadInput

_LONGEST_SHOP = 64
_LONGEST_CODE = 256
_MOST_REFUNDS = 1_000


def fitting(news: OrderNews) -> OrderNews:
    """The same without what cannot be kept or reckoned with; BadInput where nobody could tell which order it is."""
    checked_key(news.shop, "shop", longest=_LONGEST_SHOP)
    checked_key(news.order, "order")
    standing = None if news.standing is None else _standing(news.standing)
    refunds = tuple(_refund(refund) for refund in news.refunds[:_MOST_REFUNDS])
    return replace(news, standing=standing, refunds=refunds)


def _standing(standing: OrderStanding) -> OrderStanding:
    codes = tuple(_code(code) for code in standing.codes if _could_be_a_code(code.code))
    cut = replace(
        standing,
        codes=codes[:MOST_TOGETHER],
        customer=standing.customer if _is_key(standing.customer) else None,
        name=standing.name if _is_key(standing.name) else None,
        total=_amount(standing.total),
    )
    try:
        if cut.currency is not None:
            check_currency(cut.currency)
    except BadInput:
        return replace(cut, currency=None, lines=())
    try:
        cart = cut.cart("")
        if cart is not None:
            checked_cart(replace(cart, sales_channel=None))
    except BadInput:
        return replace(cut, lines=(), shipping=0)
    return cut


def _code(code: OrderCode) -> OrderCode:
    return replace(code, discount=_amount(code.discount))


def _refund(refund: OrderRefund) -> OrderRefund:
    lines = {id_: quantity for id_, quantity in refund.lines.items() if quantity > 0}
    return replace(refund, amount=_amount(refund.amount) or 0, lines=lines)


def _amount(minor: int | None) -> int | None:
    return None if minor is None or not 0 <= minor <= LARGEST_AMOUNT else minor


def _could_be_a_code(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(normalise(text)) <= _LONGEST_CODE


def _is_key(text: str | None) -> bool:
    try:
        checked_optional(text, "text")
    except BadInput:
        return False
    return True
