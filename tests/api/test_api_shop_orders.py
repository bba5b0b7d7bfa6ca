"""Orders of shops over the API: what was refused is found, mended, and tried again."""

from datetime import UTC, datetime

import pytest

from promograph import OrderCode, OrderNews, OrderStanding, OrderState

from .asking import Api

pytestmark = pytest.mark.anyio

FIELDS = """id shop order name state customer
    codes { code state retryAt objections { code message data } redemption { order } }"""


def sold(order: str) -> OrderNews:
    codes = (OrderCode(code="SALE-1", discount=100),)
    standing = OrderStanding(state=OrderState.SOLD, codes=codes, currency="EUR", total=1000, name=f"#{order}")
    return OrderNews(shop="shopify", order=order, said_at=datetime.now(UTC), standing=standing)


async def test_what_was_refused_is_found_mended_and_tried_again(fresh: Api) -> None:
    await fresh.promotion(codes=["SALE-1"], codeKind="MULTIPLE")
    await fresh.done("codesBlock", codes=["SALE-1"], fields="changed")
    await fresh.services.desk("ecommerce").report_orders([sold("1001")])
    given = 'filter: { codeState: REFUSED, order: "#1001" }'
    asked = f"{{ shopOrders({given}) {{ nodes {{ {FIELDS} }} }} }}"
    (order,) = (await fresh.ask(asked))["shopOrders"]["nodes"]
    (code,) = order["codes"]
    assert (order["shop"], order["order"], order["state"], code["state"]) == ("shopify", "1001", "SOLD", "REFUSED")
    assert code["objections"][0]["code"] == "CODE_BLOCKED" and code["retryAt"]
    await fresh.done("codesUnblock", codes=["SALE-1"], fields="changed")
    payload = await fresh.done("shopOrdersRetry", orders=[order["id"]], fields=f"orders {{ {FIELDS} }}")
    (mended,) = payload["orders"]
    assert mended["codes"] == [
        {"code": "SALE-1", "state": "REDEEMED", "retryAt": None, "objections": [], "redemption": {"order": "1001"}}
    ]
    assert (await fresh.ask(asked))["shopOrders"]["nodes"] == []
    node = await fresh.ask("query($id: ID!) { node(id: $id) { ... on ShopOrder { order } } }", {"id": order["id"]})
    assert node == {"node": {"order": "1001"}}
    for bad in ([], ["nonsense"], ["x"] * 101):
        payload = await fresh.do("shopOrdersRetry", orders=bad, fields="orders { id }")
        assert payload["userErrors"][0]["field"] == ["input", "orders"]
