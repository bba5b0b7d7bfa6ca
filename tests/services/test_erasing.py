"""Erasing a person: nothing of them is left anywhere, and everything that was counted is counted still."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from promograph.domain.issuing import IssueRequest
from promograph.domain.people.audiences import AudienceKind
from promograph.domain.promotions import IssuePolicy, OnEmpty
from promograph.domain.redeeming import HoldRequest
from promograph.domain.stock.lists import CodeColumns
from promograph.services.audiences import NewAudience

from .sendings import Post
from .test_audiences import told
from .world import World, issued, why

pytestmark = pytest.mark.anyio

TTL = timedelta(minutes=5)
ADA = "ada-lovelace-1815"
ABOUT = (ADA, "ada@example.com", "+15145550199", "countess", "fr-MC")


async def places(world: World, *words: str) -> set[str]:
    """Every column of every table in which one of the words stands, whatever its type."""

    def work(connection: Connection) -> set[str]:
        found = set()
        for table in inspect(connection).get_table_names():
            for column in inspect(connection).get_columns(table):
                name = f'"{column["name"]}"'
                for word in words:
                    sql = f'SELECT count(*) FROM "{table}" WHERE CAST({name} AS text) LIKE :word'
                    if connection.execute(text(sql), {"word": f"%{word}%"}).scalar():
                        found.add(f"{table}.{column['name']}")
        return found

    return await world.write(work)


async def live(world: World) -> dict[str, Any]:
    """A customer who leaves traces wherever one can."""
    services = world.services
    await told(
        world,
        {
            "id": ADA,
            "email": "ada@example.com",
            "phone": "+15145550199",
            "locale": "fr-MC",
            "consent": {"email": True},
            "attributes": {"title": "countess"},
        },
        {"id": "bob", "email": "bob@example.com"},
    )
    await services.people.upsert([{"id": ADA, "attributes": {"x": 1}}, {"id": "", "attributes": {}}], key="up")
    own = await world.promotion(codes=9, on_empty=OnEmpty.REFUSE, uses_per_customer=1, uses_per_code=3, audience_cap=2)
    sends = await world.promotion(codes=9, issue_policy=IssuePolicy.PER_SEND)
    code = await world.code(own, ADA, idempotency_key="issue", channel="email", send="s1")
    await world.issue_all(sends, [ADA, "bob"], send="s1")
    await world.reissue(own, ADA, idempotency_key="again")
    await services.audiences.create(NewAudience(name="Some", kind=AudienceKind.STATIC, customers=[ADA, "bob"]))
    second = await world.code(sends, ADA, send="s2")
    ended = await services.redeeming.hold(HoldRequest(code=second, customer=ADA, idempotency_key="hold", ttl=TTL))
    assert ended.hold is not None
    await services.redeeming.release(ended.hold.token)
    await services.redeeming.hold(HoldRequest(code=second, customer=ADA, ttl=TTL))
    assert why(await world.redeem(code, ADA, idempotency_key="redeem", order="o-1")) == []
    return {"own": own, "sends": sends, "code": code, "second": second}


async def test_nothing_of_them_is_left_and_all_is_counted_still(world: World) -> None:
    made = await live(world)
    said = "INSERT INTO inbound_event (channel, id, kind, recipient, raw, received_at, tries) VALUES "
    for n, raw in enumerate(("to=%2B15145550199", f'{{"customer": "{ADA}"}}', "Ada@Example.com bounced", "bob")):
        event = f"('sms', '{n}', 'BOUNCED', {repr('ada@example.com') if n == 2 else 'NULL'}, '{raw}', 0, 0)"
        await world.write(lambda connection, event=event: connection.exec_driver_sql(said + event))
    traces = await places(world, *ABOUT)
    assert {"customer.id", "issuance.customer", "redemption.customer", "hold.customer", "replay.answer"} <= traces
    before = {name: await world.inventory(made[name]) for name in ("own", "sends")}
    erased = await world.services.erasing.erase(ADA)
    assert (erased.customers, erased.issuances, erased.redemptions, erased.holds) == (1, 4, 1, 2)
    assert (erased.audiences, erased.answers, erased.events) == (1, 4, 3)
    assert await places(world, *ABOUT) == set()
    assert {name: await world.inventory(made[name]) for name in ("own", "sends")} == before
    assert await world.services.people.get(ADA) is None
    assert await world.services.people.issuances_of(ADA) == []
    # Others are as they were, and erasing again finds nothing.
    assert len(await world.services.people.issuances_of("bob")) == 1
    assert not await world.services.erasing.erase(ADA)
    assert not await world.services.erasing.erase("never seen")


async def test_a_send_that_is_over_names_nobody_either(world: World) -> None:
    post = Post(world)
    ids = await post.people(2)
    await world.promotion(handle="spring", codes=2)
    await post.sent(await post.send(ids, "spring"))
    cancelled = await post.send(ids, "spring", key="s2")
    await world.services.sends.start(cancelled.id)
    await world.services.sends.cancel(cancelled.id)
    assert await world.services.erasing.erase(ids[-1])
    assert await places(world, ids[-1]) == set()


async def test_limits_hold_for_somebody_who_comes_back(world: World) -> None:
    made = await live(world)
    own, sends = made["own"], made["sends"]
    await world.services.erasing.erase(ADA)
    # The occasion has its code already; it is answered under the id with which they ask.
    again = await world.issue(own, ADA)
    assert issued(again).text == made["code"]
    assert again.replayed
    assert issued(again).customer == ADA
    repeated = await world.reissue(own, ADA)
    assert (issued(repeated).text, issued(repeated).customer) == (made["code"], ADA)
    assert issued(await world.issue(own, ADA, idempotency_key="issue", channel="email", send="s1")).text == made["code"]
    assert issued((await world.issue_all(sends, [ADA], send="s1"))[0]).customer == ADA
    # One use a customer, and that was before.
    assert why(await world.redeem(made["code"], ADA)) == ["CUSTOMER_CAP_REACHED"]
    assert "CUSTOMER_CAP_REACHED" in why(await world.validate(made["code"], ADA))
    # They count once against the audience cap, of which one place is left.
    assert why(await world.issue(own, "cy")) == []
    assert why(await world.issue(own, "dee")) == ["AUDIENCE_CAP_REACHED"]
    # What is new to them is new, and goes with the next erasure.
    fresh = await world.promotion(codes=2)
    await world.code(fresh, ADA)
    await world.issue(sends, ADA, send="s3")
    await told(world, {"id": ADA, "email": "ada@example.com"})
    assert (await world.services.erasing.erase(ADA)).issuances == 1
    assert await places(world, *ABOUT) == set()
    assert (await world.issue(fresh, ADA)).replayed


async def test_holder_only_knows_its_holder_again(world: World) -> None:
    promotion = await world.promotion(codes=2, holder_only=True, uses_per_code=2)
    code = await world.code(promotion, ADA)
    await world.services.erasing.erase(ADA)
    assert why(await world.redeem(code, "bob")) == ["NOT_HOLDER"]
    held = await world.services.redeeming.hold(HoldRequest(code=code, customer=ADA, ttl=TTL))
    assert held.hold is not None
    assert why(await world.redeem(code, ADA)) == []


async def test_a_dossier_holds_everything(world: World) -> None:
    made = await live(world)
    found = await world.services.erasing.dossier(ADA)
    assert found["customer"]["email"] == "ada@example.com"
    assert found["customer"]["attributes"] == {"title": "countess", "x": 1}
    assert [one["kind"] for one in found["issuances"]] == ["INITIAL", "REPEAT", "INITIAL", "INITIAL"]
    assert [one["order"] for one in found["redemptions"]] == ["o-1"]
    assert sorted(str(one["ended"]) for one in found["holds"]) == ["None", "RELEASED"]
    assert found["audiences"] == ["some"]
    assert made["code"] in {one["code"] for one in found["issuances"]}
    assert (await world.services.erasing.dossier("never seen"))["customer"] is None


def test_whoever_keeps_customers_in_a_new_place_thinks_of_erasing() -> None:
    """A column that names customers is in `store.erasing`, or goes by itself; decide, and add it here."""
    columns = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if any(word in column.name for word in ("customer", "email", "phone", "address", "recipient"))
    }
    assert columns == {
        "stock.customers",  # a number
        "promotion.uses_per_customer",  # a number
        "issuance.customer",
        "redemption.customer",
        "hold.customer",
        "audience_member.customer",
        "send_message.customer",
        "shop_order.customer",
        "inbound_event.recipient",
        "customer.email",
        "customer.phone",
    }


async def test_a_promotion_that_knew_others_sees_somebody_new(world: World) -> None:
    """That it has rows of erased people does not make everybody who was ever erased one of them."""
    one, other = await world.promotion(codes=3), await world.promotion(codes=3)
    await world.code(one, ADA)
    await world.code(other, "bob")
    for customer in (ADA, "bob"):
        await world.services.erasing.erase(customer)
    outcomes = await world.services.issuing.issue_many(
        [IssueRequest(promotion=each.terms.handle, customer=ADA) for each in (one, other)]
    )
    assert [outcome.replayed for outcome in outcomes] == [True, False]
    assert [issued(outcome).customer for outcome in outcomes] == [ADA, ADA]
    assert "issuance.customer" in await places(world, ADA)


async def test_a_file_of_codes_for_people_knows_them_again(world: World) -> None:
    promotion = await world.promotion(codes=1, audience_cap=2, on_empty=OnEmpty.REFUSE)
    await world.code(promotion, ADA)
    await world.services.erasing.erase(ADA)
    rows = f"code,customer\nA-1,{ADA}\nB-1,bob\nC-1,cy\n".encode()
    columns = CodeColumns(code="code", customer="customer")
    for dry_run in (True, False):
        report = (await world.import_file(promotion, rows, columns=columns, dry_run=dry_run)).report
        assert (report.added, report.unassigned) == (1, 2)  # she has hers, bob takes the last place
    assert not await places(world, ADA) & {"issuance.customer", "code.key", "batch.report"}
    assert (await world.issue(promotion, ADA)).replayed
    assert (await world.issue(promotion, "bob")).replayed
