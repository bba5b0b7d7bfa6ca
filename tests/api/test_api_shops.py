"""Shops over the API: told of promotions, and held against what was redeemed."""

import asyncio
from typing import Any

import pytest

from promograph.domain.orders.news import OrderCode, OrderNews, OrderStanding, OrderState
from promograph.testing.fake_shop import FakeShop, FakeShopChannel

from .asking import Api

pytestmark = pytest.mark.anyio

_JOB = "query ($id: ID!) { node(id: $id) { ... on Job { kind status done total failed error download { name } } } }"
_PUSHES = "query ($id: ID!) { promotion(id: $id) { pushes { shop state pushed refused error remoteId triedAt } } }"
_DIFFERENCES = """query ($job: ID!) { shopDifferences(job: $job, first: 10) { nodes {
    kind order code there { amount currency } here { amount } why isMended promotion { handle } } } }"""


async def with_shop(api: Api) -> tuple[FakeShop, dict[str, Any]]:
    """A shop, and a promotion that it can be told of."""
    shop = FakeShop(refused={"SHOP-3"})
    api.services.connect({"fake-shops": FakeShopChannel({shop.name: shop})})
    await api.done("rewardTypeCreate", handle="off", name="Off", effect="PERCENTAGE")
    reward = {"single": {"type": "off", "value": {"percentage": "10"}}}
    return shop, await api.promotion(codes=["SHOP-1", "SHOP-2", "SHOP-3"], codeKind="MULTIPLE", reward=reward)


async def test_a_promotion_is_pushed_and_says_how_it_stands(fresh: Api) -> None:
    shop, promotion = await with_shop(fresh)
    assert (await fresh.ask("{ shops { name title } }"))["shops"] == [{"name": shop.name, "title": shop.title}]
    asked = {"promotion": promotion["id"], "shop": shop.name, "idempotencyKey": "once"}
    job = (await fresh.done("promotionPush", fields="job { id }", **asked))["job"]
    assert (await fresh.done("promotionPush", fields="job { id }", **asked))["job"] == job
    done = await ended(fresh, job["id"])
    assert (done["kind"], done["status"], done["failed"]) == ("PROMOTION_PUSH", "DONE", 1)
    assert done["download"]["name"].startswith("push-")
    (push,) = (await fresh.ask(_PUSHES, promotion))["promotion"]["pushes"]
    assert {name: push[name] for name in ("shop", "state", "pushed", "refused", "error", "remoteId")} == {
        "shop": shop.name,
        "state": "IN_STEP",
        "pushed": 2,
        "refused": 1,
        "error": None,
        "remoteId": "offer-1",
    }
    draft = await fresh.draft()
    for wrong, where in (({"shop": "nowhere"}, ("NOT_FOUND", "input.shop")), ({"promotion": draft["id"]}, None)):
        (problem,) = await fresh.no("promotionPush", **{**asked, "idempotencyKey": None, **wrong})
        assert problem == (where or ("STATE", "input.promotion"))


async def test_differences_are_listed_and_mended(fresh: Api) -> None:
    shop, _ = await with_shop(fresh)
    promotion = await fresh.promotion(codes=["SOLD-1"], codeKind="MULTIPLE")
    standing = OrderStanding(
        state=OrderState.SOLD, codes=(OrderCode(code="sold-1", discount=500),), currency="EUR", total=4_000
    )
    shop.sold = [OrderNews(shop=shop.name, order="1001", said_at=fresh.clock.now, standing=standing)]
    since = fresh.clock.now.isoformat()
    for mend in (False, True):
        payload = await fresh.done("shopReconcile", fields="job { id }", shop=shop.name, since=since, mend=mend)
        assert (await ended(fresh, payload["job"]["id"]))["failed"] == (0 if mend else 1)
        found = (await fresh.ask(_DIFFERENCES, {"job": payload["job"]["id"]}))["shopDifferences"]["nodes"]
        assert found == [
            {
                "kind": "NOT_REDEEMED_HERE",
                "order": "1001",
                "code": "SOLD-1",
                "there": {"amount": "5.00", "currency": "EUR"},
                "here": None,
                "why": None,
                "isMended": mend,
                "promotion": {"handle": promotion["handle"]},
            }
        ]
    naive = await fresh.no("shopReconcile", shop=shop.name, since="2027-03-01T00:00:00")
    assert naive == [("INVALID", "input.since")]


async def ended(api: Api, id_: str) -> dict[str, Any]:
    for _ in range(6_000):
        job: dict[str, Any] = (await api.ask(_JOB, {"id": id_}))["node"]
        if job["status"] not in ("WAITING", "RUNNING"):
            assert job["error"] is None
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)
