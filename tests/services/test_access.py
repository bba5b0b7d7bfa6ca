"""Tokens: made once, found by their text, revoked for good."""

from types import SimpleNamespace

import pytest

from promograph.domain.access import NOBODY, Caller, Scope
from promograph.errors import BadInput, InputProblem
from promograph.services import access
from promograph.services.access import REVOKED_WITHIN_SECONDS

from .world import World

pytestmark = pytest.mark.anyio

CHECKOUT = {Scope.CODES_REDEEM}


async def test_a_token_is_shown_once_and_found_by_its_text(world: World) -> None:
    text, token = await world.services.access.create("checkout", CHECKOUT)
    assert text.startswith("pmg_")
    assert len(text) > 40
    assert (token.name, token.scopes, token.created_at, token.revoked_at) == (
        "checkout",
        CHECKOUT,
        world.clock.now,
        None,
    )
    for services in (world.services, world.reopen()):
        assert await services.access.caller(text) == Caller(name="checkout", scopes=frozenset(CHECKOUT))
    assert text not in repr(token)
    assert await world.services.access.every() == [token]


async def test_two_tokens_have_two_texts(world: World) -> None:
    texts = {(await world.services.access.create(f"t{n}", CHECKOUT))[0] for n in range(20)}
    assert len(texts) == 20
    assert [token.name for token in await world.services.access.every()] == [f"t{n}" for n in range(20)]


@pytest.mark.parametrize("text", ["", "pmg_", "pmg_" + "A" * 43, "\0", "\ud800", "x" * 10_000, "Checkout"])
async def test_any_other_text_is_nobody(world: World, text: str) -> None:
    real, _ = await world.services.access.create("checkout", CHECKOUT)
    for other in (text, real[:-1], real + "A", real.lower() + real.upper()):
        assert await world.services.access.caller(other) is NOBODY
    assert not NOBODY.is_known
    assert not NOBODY.may(*Scope)


async def test_names_are_not_used_twice_even_after_revoking(world: World) -> None:
    await world.services.access.create("checkout", CHECKOUT)
    await world.services.access.revoke("checkout")
    with pytest.raises(BadInput) as caught:
        await world.services.access.create("checkout", {Scope.ADMIN})
    assert (caught.value.problem, caught.value.field) == (InputProblem.TAKEN, ("name",))


@pytest.mark.parametrize(("name", "problem"), [("", InputProblem.REQUIRED), ("x" * 65, InputProblem.OUT_OF_RANGE)])
async def test_bad_names_and_no_scopes(world: World, name: str, problem: InputProblem) -> None:
    with pytest.raises(BadInput) as caught:
        await world.services.access.create(name, CHECKOUT)
    assert (caught.value.problem, caught.value.field) == (problem, ("name",))
    with pytest.raises(BadInput) as caught:
        await world.services.access.create("fine", [])
    assert (caught.value.problem, caught.value.field) == (InputProblem.REQUIRED, ("scopes",))
    assert await world.services.access.every() == []


async def test_a_revoked_token_is_nobody_at_once_where_it_was_revoked(world: World) -> None:
    text, _ = await world.services.access.create("checkout", CHECKOUT)
    other, _ = await world.services.access.create("other", CHECKOUT)
    assert (await world.services.access.caller(text)).is_known
    world.clock.move(days=1)
    token = await world.services.access.revoke("checkout")
    assert token.revoked_at == world.clock.now
    assert await world.services.access.caller(text) is NOBODY
    assert (await world.services.access.caller(other)).is_known
    for name in ("checkout", "nobody", "a\0b"):
        with pytest.raises(BadInput) as caught:
            await world.services.access.revoke(name)
        assert caught.value.problem is InputProblem.NOT_FOUND


async def test_other_servers_forget_a_revoked_token_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(access, "time", SimpleNamespace(monotonic=lambda: now[0]))
    elsewhere = world.reopen().access
    text, _ = await world.services.access.create("checkout", CHECKOUT)
    assert (await elsewhere.caller(text)).is_known
    await world.services.access.revoke("checkout")
    now[0] += REVOKED_WITHIN_SECONDS
    assert await elsewhere.caller(text) is NOBODY


async def test_a_remembered_token_does_not_ask_the_store_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    elsewhere = world.reopen().access
    text, _ = await world.services.access.create("checkout", CHECKOUT)
    known = await elsewhere.caller(text)
    await world.services.access.revoke("checkout")
    assert await elsewhere.caller(text) is known


def test_admin_may_all_and_others_what_they_carry() -> None:
    admin = Caller(name="a", scopes=frozenset({Scope.ADMIN}))
    checkout = Caller(name="c", scopes=frozenset(CHECKOUT))
    assert all(admin.may(scope) for scope in Scope)
    assert [scope for scope in Scope if checkout.may(scope)] == [Scope.CODES_REDEEM]
    assert checkout.may(Scope.INVENTORY_READ, Scope.CODES_REDEEM)
