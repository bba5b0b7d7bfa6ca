"""Recounting: a check that cannot fail proves nothing, so every counter and every limit is damaged by hand once."""

import pytest

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, OnEmpty
from promograph.domain.stock.changes import CodeChange

from .ground import Ground

pytestmark = pytest.mark.anyio

ONE = "(SELECT id FROM promotion WHERE handle = 'one')"
OF_ONE = f"WHERE promotion_id = {ONE}"

COUNTERS = [
    "available",
    "issued",
    "blocked",
    "void",
    "redeemed",
    "issuances",
    "fallback_issued",
    "customers",
    "redemptions",
]


async def furnish(ground: Ground) -> None:
    """Something of every kind: `one` has codes issued, used, blocked, free; the others have what it has not."""
    codes = [f"ONE-{n}" for n in range(1, 7)]
    await ground.promotion(
        "one", codes, shared="FALL", on_empty=OnEmpty.FALLBACK, uses_per_code=1, uses_per_customer=2, audience_cap=9
    )
    await ground.issue("one", "ann", "bob", "cy")
    await ground.services.changing.listed(["ONE-1", "ONE-4", "ONE-5", "ONE-6"], CodeChange.BLOCK)
    await ground.issue("one", "dee")
    await ground.redeem("ONE-2", "bob")
    await ground.redeem("FALL", "dee")
    await ground.services.changing.listed(["ONE-5", "ONE-6"], CodeChange.UNBLOCK)
    await ground.promotion("single", shared="SAVE", code_kind=CodeKind.SINGLE, uses_per_code=None)
    await ground.issue("single", "ann", "bob")
    await ground.redeem("SAVE", "ann")
    await ground.promotion("made", on_empty=OnEmpty.GENERATE)
    await ground.issue("made", "ann")
    await ground.promotion("paper", ["P-1", "P-2"], code_kind=CodeKind.MULTIPLE)
    await ground.redeem("P-2")


@pytest.fixture(scope="module")
async def furnished(shared_ground: Ground) -> Ground:
    await furnish(shared_ground)
    return shared_ground


async def test_an_empty_and_a_furnished_store_are_in_order(ground: Ground) -> None:
    assert await ground.services.verify() == []
    await furnish(ground)
    assert await ground.services.verify() == []


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("step", [1, -1])
async def test_a_counter_that_is_off_is_named(furnished: Ground, counter: str, step: int) -> None:
    ((kept,),) = await furnished.ask(f"SELECT {counter} FROM stock {OF_ONE}")
    found = await furnished.found_after(f"UPDATE stock SET {counter} = {counter} + {step} {OF_ONE}")
    assert found == [f"one: {counter} is kept as {kept + step}, and its rows count {kept}"]


# What is damaged, and the beginning of a sentence about it.
DAMAGES: dict[str, tuple[list[str], str]] = {
    "a code lost": (
        [f"DELETE FROM code {OF_ONE} AND key = 'ONE-6'"],
        "one: available is kept as 2, and its rows count 1",
    ),
    "an issuance lost": ([f"DELETE FROM issuance {OF_ONE} AND customer = 'cy'"], "one: issued"),
    "a fallback's issuance lost": ([f"DELETE FROM issuance {OF_ONE} AND kind = 'FALLBACK'"], "one: fallback_issued"),
    "a redemption lost": ([f"DELETE FROM redemption {OF_ONE} AND customer = 'bob'"], "one: redemptions"),
    "uses forgotten": (
        [f"UPDATE code SET uses = 0 {OF_ONE} AND key = 'ONE-2'"],
        "one: a code counts other uses than it has: ONE-2 (0, expected 1)",
    ),
    "uses invented": (
        [f"UPDATE code SET uses = 1 {OF_ONE} AND key = 'ONE-6'"],
        "one: a code counts other uses than it has: ONE-6 (1, expected 0)",
    ),
    "a block by hand": ([f"UPDATE code SET blocked = true {OF_ONE} AND key = 'ONE-6'"], "one: blocked is kept as 2"),
    "a use too many": (
        [
            f"UPDATE code SET uses = 2 {OF_ONE} AND key = 'ONE-2'",
            f"UPDATE stock SET redemptions = 3 {OF_ONE}",
            "INSERT INTO redemption (promotion_id, number, seq, redeemed_at) "
            f"SELECT promotion_id, 3, seq, 0 FROM code {OF_ONE} AND key = 'ONE-2'",
        ],
        "one: a code was redeemed more often than it may be: ONE-2 (2, expected 1)",
    ),
    "a limit passed": (
        ["UPDATE promotion SET audience_cap = 3 WHERE handle = 'one'"],
        "one: more customers were reached than the audience cap allows: customers (4, expected 3)",
    ),
    "a customer's use too many": (
        [
            f"UPDATE redemption SET customer = 'bob' {OF_ONE}",
            "UPDATE promotion SET uses_per_customer = 1 WHERE handle = 'one'",
        ],
        "one: a customer redeemed more often than allowed: bob (2, expected 1)",
    ),
    "a code given to two": (
        [
            "INSERT INTO issuance (promotion_id, number, seq, customer, occasion, kind, issued_at) "
            f"SELECT promotion_id, 99, seq, 'eve', 'r:x', 'REPEAT', 0 FROM code {OF_ONE} AND key = 'ONE-3'",
        ],
        "one: a code was issued to several customers: 3 (2, expected 1)",
    ),
    "an occasion that got two": (
        [
            "DROP INDEX issuance_occasion",
            "INSERT INTO issuance (promotion_id, number, seq, customer, occasion, kind, issued_at) "
            f"SELECT promotion_id, 99, seq, 'cy', '', 'INITIAL', 0 FROM code {OF_ONE} AND key = 'ONE-6'",
        ],
        "one: an occasion got several codes: cy (2, expected 1)",
    ),
    "an issuance of nothing": (
        [f"UPDATE issuance SET seq = 77 {OF_ONE} AND customer = 'cy'"],
        "one: an issuance names a code that is not there: cy (77, expected 0)",
    ),
    "a redemption of nothing": (
        [f"UPDATE redemption SET seq = 77, order_ref = 'o-1' {OF_ONE} AND customer = 'bob'"],
        "one: a redemption names a code that is not there: o-1 (77, expected 0)",
    ),
    "a code that nobody will ever get": (
        [f"DELETE FROM returned_code {OF_ONE}", f"UPDATE stock SET head = 7 {OF_ONE}"],
        "one: a code waits but the line has passed it: ONE-5",
    ),
    "a code stopped by hand, and counted": (
        [
            f"UPDATE code SET void = true {OF_ONE} AND key = 'ONE-3'",
            f"UPDATE stock SET issued = issued - 1, void = void + 1 {OF_ONE}",
        ],
        "one: a code is stopped and nobody stopped it: ONE-3 (3, expected 0)",
    ),
    "a code let go by hand, and counted": (
        [
            f"UPDATE code SET blocked = false {OF_ONE} AND key = 'ONE-1'",
            f"UPDATE stock SET blocked = blocked - 1, issued = issued + 1 {OF_ONE}",
        ],
        "one: a code is blocked otherwise than its history says: ONE-1",
    ),
    "a code both blocked and void": (
        [f"UPDATE code SET void = true {OF_ONE} AND key = 'ONE-1'"],
        "one: a code is both blocked and void: ONE-1 (1, expected 0)",
    ),
    "a code taken for expired that is not": (
        [
            f"DELETE FROM returned_code {OF_ONE} AND seq = (SELECT seq FROM code WHERE key = 'ONE-5')",
            f"UPDATE code SET expires_at = 9000000000000000 {OF_ONE} AND key = 'ONE-5'",
            f"UPDATE stock SET available = available - 1, void = void + 1 {OF_ONE}",
        ],
        "one: a code waits but the line has passed it: ONE-5 (5, expected 7)",
    ),
}


# Of one code that went back and was repeated before, and of one that a message carries.
TENTATIVE: dict[str, tuple[str, str]] = {
    "a return that its issuance does not know": (
        "UPDATE code_event SET other = 2 WHERE kind = 'RETURNED'",
        "sent: a code was given back and its issuance says otherwise: issuance (2, expected 1)",
    ),
    "a return that its history does not know": (
        "DELETE FROM code_event WHERE kind = 'RETURNED'",
        "sent: an issuance went back and its code's history does not tell: ann (1, expected 1)",
    ),
    "a return of half a mind": (
        "UPDATE issuance SET state = NULL WHERE kind = 'RETURNED'",
        "sent: an issuance went back by its kind or by its state, and not by both: ann (1, expected 0)",
    ),
    "a repeat that would be given again": (
        "UPDATE issuance SET state = NULL WHERE kind = 'REPEAT'",
        "sent: a repeat stands of a code that its customer has no longer: ann (3, expected 1)",
    ),
    "a message forgotten": (
        "DELETE FROM carried_code",
        "sent: an issuance is tentative and no message carries it: bob (2, expected 2)",
    ),
    "an issuance settled by hand": (
        "UPDATE issuance SET state = 'DELIVERED' WHERE state = 'TENTATIVE'",
        "sent: a message carries a code that is not tentative: m2 (2, expected 0)",
    ),
    "a message that carries the codes of no promotion": (
        "UPDATE carried_code SET promotion_id = 999",
        "promotion 999: rows belong to a promotion that is not there: carried_code (1, expected 0)",
    ),
}


async def test_damaged_rows_of_tentative_codes_are_found(ground: Ground) -> None:
    await ground.promotion("sent", ["S-1", "S-2"])
    requests = [
        IssueRequest(promotion="sent", customer=customer, message=message, channel="email", tentative=True)
        for customer, message in (("ann", "m1"), ("bob", "m2"))
    ]
    await ground.services.issuing.issue_many(requests)
    await ground.services.issuing.reissue_many(requests[:1])
    await ground.services.settling.lost("email", ["m1"])
    assert await ground.services.verify() == []
    for statement, sentence in TENTATIVE.values():
        assert sentence in await ground.found_after(statement), statement


@pytest.mark.parametrize("name", DAMAGES)
async def test_damaged_rows_are_found(furnished: Ground, name: str) -> None:
    statements, sentence = DAMAGES[name]
    found = await furnished.found_after(*statements)
    assert [line for line in found if line.startswith(sentence)], found


async def test_a_key_that_two_codes_have_is_found(furnished: Ground) -> None:
    loosened = ["ALTER TABLE code DROP CONSTRAINT code_key_key"]
    if furnished.database.dialect == "sqlite":
        loosened = ["CREATE TABLE copy AS SELECT * FROM code", "DROP TABLE code", "ALTER TABLE copy RENAME TO code"]
    found = await furnished.found_after(*loosened, f"UPDATE code SET key = 'P-1' {OF_ONE} AND key = 'ONE-6'")
    assert found == ["one: a key is held by several codes: P-1 (2, expected 1)"]


# What no counter shows and what would yet go wrong: with the next issue, the next code made, the next load.
BLIND_SPOTS: dict[str, tuple[list[str], str]] = {
    "the line goes back to codes that are out": (
        [f"UPDATE stock SET head = 2 {OF_ONE}"],
        "one: the line has yet to come to codes that were issued: head (2, expected 4)",
    ),
    "the line begins behind codes that are yet to be added": (
        [f"UPDATE stock SET head = 9 {OF_ONE}"],
        "one: the line begins outside of itself: head (9, expected 7)",
    ),
    "a code that is out waits to be issued again": (
        [f"INSERT INTO returned_code (promotion_id, seq) SELECT promotion_id, 3 FROM stock {OF_ONE}"],
        "one: a code that is back in line was issued: ONE-3 (3, expected 0)",
    ),
    "a code waits in the line and beside it": (
        [f"UPDATE stock SET head = 6 {OF_ONE}"],
        "one: a code is back in line that the line has not passed: ONE-6 (6, expected 5)",
    ),
    "the shared code is to be issued as somebody's own": (
        [f"INSERT INTO returned_code (promotion_id, seq) SELECT promotion_id, 0 FROM stock {OF_ONE}"],
        "one: a code is back in line that the line has not passed: FALL (0, expected 6)",
    ),
    "a place in line is nobody's": (
        [f"INSERT INTO returned_code (promotion_id, seq) SELECT promotion_id, 77 FROM stock {OF_ONE}"],
        "one: a place in line is that of a code that is not there: code (77, expected 0)",
    ),
    "codes made on demand are forgotten": (
        ["UPDATE stock SET made = 0 WHERE promotion_id = (SELECT id FROM promotion WHERE handle = 'made')"],
        "made: codes made on demand have numbers that are yet to be given: made (0, expected 1)",
    ),
    "codes lie behind the line's end and nobody is loading": (
        [f"INSERT INTO code (promotion_id, seq, key) SELECT promotion_id, 7, 'LOST' FROM stock {OF_ONE}"],
        "one: codes lie behind the line's end and nobody is adding any: tail (6, expected 7)",
    ),
    "a code belongs to no promotion": (
        ["INSERT INTO code (promotion_id, seq, key) VALUES (999, 1, 'LOST')"],
        "promotion 999: rows belong to a promotion that is not there: code (1, expected 0)",
    ),
    "codes wait for no promotion": (
        ["INSERT INTO returned_code (promotion_id, seq) VALUES (0, 1), (0, 2), (2000, 1)"],
        "promotion 0: rows belong to a promotion that is not there: returned_code (2, expected 0)",
    ),
    "a promotion has no counters": (
        ["DELETE FROM stock WHERE promotion_id = (SELECT id FROM promotion WHERE handle = 'paper')"],
        "paper: a promotion has no counters: stock (0, expected 1)",
    ),
    "a personalised code was used before it was issued": (
        [
            f"UPDATE code SET uses = 1 {OF_ONE} AND key = 'ONE-6'",
            "INSERT INTO redemption (promotion_id, number, seq, redeemed_at) "
            f"SELECT promotion_id, 3, seq, 0 FROM code {OF_ONE} AND key = 'ONE-6'",
            "UPDATE stock SET redemptions = 3, redeemed = 2, issued = issued + 1, available = available - 1 " + OF_ONE,
        ],
        "one: a code was redeemed though it had never been issued: ONE-6 (1, expected 0)",
    ),
    "numbers of issuances run ahead of their counter": (
        [f"UPDATE issuance SET number = 50 {OF_ONE} AND number = 4"],
        "one: issuances have other numbers than their count gives them: the last (50, expected 4)",
    ),
    "numbers of redemptions run ahead of their counter": (
        [f"UPDATE redemption SET number = 50 {OF_ONE} AND number = 2"],
        "one: redemptions have other numbers than their count gives them: the last (50, expected 2)",
    ),
}


@pytest.mark.parametrize("name", BLIND_SPOTS)
async def test_damage_that_no_counter_shows_is_found(furnished: Ground, name: str) -> None:
    """After `furnish`, one's line is at code 7 of 6, with ONE-5 and ONE-6 waiting in the returned line."""
    assert await furnished.ask(f"SELECT head, tail FROM stock {OF_ONE}") == [(7, 6)]
    statements, sentence = BLIND_SPOTS[name]
    assert sentence in await furnished.found_after(*statements)


async def test_a_load_that_is_under_way_is_no_damage(furnished: Ground) -> None:
    found = await furnished.found_after(
        f"UPDATE stock SET loader = 'x', loader_seen_at = 0 {OF_ONE}",
        f"INSERT INTO code (promotion_id, seq, key) SELECT promotion_id, 7, 'COMING' FROM stock {OF_ONE}",
    )
    assert found == []


async def test_many_differences_are_cut_and_say_so(ground: Ground) -> None:
    await ground.promotion("one", [f"ONE-{n}" for n in range(30)])
    await ground.say(f"UPDATE code SET uses = 1 {OF_ONE}")
    found = [line for line in await ground.services.verify() if "other uses" in line]
    assert len(found) == 21
    assert found[-1].startswith("... and more")
