"""Which channel does best: e-mail, SMS and print of one promotion, against a count from exports and histories."""

import csv
import random
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .asking import Api
from .test_api_exports import download_of

pytestmark = pytest.mark.anyio

ZONE = ZoneInfo("Europe/Paris")
MONEY = "{ amount currency }"
LEDGER = f"""query ($text: String!) {{ code(text: $text) {{ redemptions {{
    redeemedAt discount {MONEY} orderAmount {MONEY} rollbacks {{ amount {MONEY} isWhole }} }} }} }}"""
PERFORMANCE = f"""query ($id: ID!, $by: PerformanceBy!) {{ promotion(id: $id) {{ performance(by: $by) {{
    channel day batch {{ id }} issued redeemed redemptions rate discount {MONEY} orderValue {MONEY} }} }} }}"""
GROUPS = {
    "CHANNEL": lambda group: group["channel"],
    "BATCH": lambda group: group["batch"]["id"],
    "DAY": lambda group: group["day"],
}

Row = dict[str, str]


def eur(amount: Decimal) -> dict[str, str]:
    return {"amount": f"{amount:.2f}", "currency": "EUR"}


async def sell(api: Api, made: dict[str, Any]) -> dict[str, str]:
    """Three batches: two issued through their channels, one printed; used unevenly. The batches' channels by id."""
    chance, labels, given = random.Random(11), {}, []
    for channel, size in (("e-mail", 30), ("sms", 20), ("print", 25)):
        codes = "\n".join(f"{made['handle']}-{channel}-{n:02}" for n in range(size))
        added = await api.done("codesAdd", promotion=made["id"], codes=codes, channel=channel)
        labels[added["batch"]["id"]] = channel
    await api.done("promotionActivate", id=made["id"])
    for n in range(44):
        # More SMS than there are in their batch: the line gives them codes that were meant for e-mail.
        given.append(await api.issue(made, f"c{n}", channel="e-mail" if n < 24 else "sms"))
        api.clock.move(minutes=40)
    printed = [f"{made['handle']}-print-{n:02}" for n in range(25)]
    used = chance.sample(given[:24], 15) + chance.sample(given[24:], 4) + chance.sample(printed, 9)
    for text in [*used, *chance.sample(used, 6)]:  # some are used twice, which this promotion allows
        discount, order = Decimal(chance.randrange(100, 2_000)) / 100, Decimal(chance.randrange(2_000, 9_000)) / 100
        sold = await api.done("codeRedeem", code=text, discount=eur(discount), orderAmount=eur(order))
        api.clock.move(minutes=chance.randrange(200))
        fate = chance.random()
        if fate < 0.4:
            part = {"amount": eur(discount / 2)} if fate < 0.2 else {}
            await api.done("redemptionRollback", fields="rollback { isWhole }", id=sold["redemption"]["id"], **part)
    return labels


def day_of(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(ZONE).date().isoformat()


def counted(rows: list[Row], uses: dict[str, list[Any]], batches: dict[str, str], by: str) -> dict[str, list[Any]]:
    """Issued, redeemed, redemptions, discounts, order values of each group, one code after the other."""
    found: dict[str, list[Any]] = defaultdict(lambda: [0, set(), 0, Decimal(0), Decimal(0)])
    for row in rows:
        place = {"CHANNEL": row["issued_through"] or row["channel"], "BATCH": batches[row["channel"]], "DAY": ""}[by]
        standing = [use for use in uses[row["code"]] if not any(undone["isWhole"] for undone in use["rollbacks"])]
        if row["customer"]:
            found[place or day_of(row["issued_at"])][0] += 1
        elif standing and by != "DAY":
            found[place][0] += 1
        for use in standing:
            group = found[place or day_of(use["redeemedAt"])]
            group[1].add(row["code"])
            group[2] += 1
            group[3] += Decimal(use["discount"]["amount"])
            group[3] -= sum(Decimal(undone["amount"]["amount"]) for undone in use["rollbacks"])
            group[4] += Decimal(use["orderAmount"]["amount"])
    return {name: [issued, len(codes), *rest] for name, (issued, codes, *rest) in found.items()}


async def test_a_channel_does_as_well_as_its_codes(api: Api) -> None:
    made = await api.draft(codeKind="MULTIPLE", usesPerCode=2, window={"timeZone": "Europe/Paris"})
    labels = await sell(api, made)
    download = await download_of(api, promotion=made["id"])
    file = (await api.client.get(download["url"])).content.decode("utf-8-sig")
    rows = list(csv.DictReader(file.splitlines()))
    uses = {row["code"]: (await api.ask(LEDGER, {"text": row["code"]}))["code"]["redemptions"] for row in rows}
    batches = {channel: id_ for id_, channel in labels.items()}
    for by, named in GROUPS.items():
        groups = (await api.ask(PERFORMANCE, {"id": made["id"], "by": by}))["promotion"]["performance"]
        shown = {
            named(group): [
                *(group[name] for name in ("issued", "redeemed", "redemptions")),
                *(sum((Decimal(m["amount"]) for m in group[name]), Decimal(0)) for name in ("discount", "orderValue")),
            ]
            for group in groups
        }
        expected = counted(rows, uses, batches, by)
        assert shown == expected, by
        for group in groups:
            issued, redeemed, *_ = expected[named(group)]
            assert group["rate"] == (redeemed / issued if issued else None)
        best = max(shown, key=lambda name: shown[name][1] / max(shown[name][0], 1))
        assert by != "CHANNEL" or best != "sms", "they were not used alike, or this test shows nothing"
