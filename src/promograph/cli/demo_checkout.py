"""Act 3: the checkout. Codes are redeemed once, by whoever holds them, however often and from wherever it is tried."""

from collections.abc import Sequence
from typing import Any

from promograph.cli import demo_documents as documents
from promograph.cli.client import ApiError
from promograph.cli.demo_world import TILLS, World, at_all_tills, member

_PRICE = {"amount": "149.00", "currency": "CAD"}
_DISCOUNT = {"amount": "29.80", "currency": "CAD"}
_MOST_BUYERS = 1_000


async def check_out(world: World, held: Sequence[str], placeholder: str) -> int:
    """Some members pay with their codes (`held`, in the members' order), then everybody tries to cheat.

    How many redemptions there are then.
    """
    await _promise_rights(world)
    buyers = min(_MOST_BUYERS, len(held) // 5)
    await _buy(world, held[:buyers])
    await _repeat(world, held[0])
    await _try_again(world, held[0])
    await _race(world, held[buyers], customer=member(buyers + 1))
    error = await _refusal(world, placeholder, customer=member(1))
    world.stage.promise(
        f"The placeholder is refused. {_said(error)}",
        holds=error["code"] == "TEST_CODE",
        found=error,
    )
    return buyers + 1


async def _promise_rights(world: World) -> None:
    try:
        await world.checkout.ask(documents.LOBBY)
        codes = frozenset[str]()
    except ApiError as failure:
        codes = failure.codes
    world.stage.promise(
        "The checkout has a token that validates and redeems; it may list nothing (FORBIDDEN).",
        holds=codes == {"FORBIDDEN"},
        found=codes,
    )


async def _buy(world: World, codes: Sequence[str]) -> None:
    used: list[str] = []
    with world.stage.bar("Members at the checkout", len(codes)) as pace:

        async def buy(sale: tuple[int, str]) -> None:
            number, code = sale
            asked = await world.checkout.send(documents.CODE_VALIDATE, code=code, customer=member(number))
            if asked["isValid"]:
                payload = await world.checkout.do(documents.CODE_REDEEM, **_order(number, code))
                used.append(payload["redemption"]["id"])
            pace.done()

        await at_all_tills(enumerate(codes, 1), buy)
        seconds, rate = pace.seconds, 2 * pace.rate
    world.stage.promise(
        f"{len(codes):,} codes validated and redeemed at {TILLS} tills: {2 * len(codes):,} calls in {seconds:.2f} s "
        f"({rate:,.0f} a second).",
        holds=len(set(used)) == len(codes),
        found=f"{len(set(used)):,} redemptions",
    )


def _order(number: int, code: str) -> dict[str, Any]:
    order = f"A-{number}"
    return {
        "code": code,
        "customer": member(number),
        "order": order,
        "orderAmount": _PRICE,
        "discount": _DISCOUNT,
        "channel": "till",
        "idempotencyKey": order,
    }


async def _repeat(world: World, code: str) -> None:
    payloads = [await world.checkout.do(documents.CODE_REDEEM, **_order(1, code)) for _ in range(2)]
    world.stage.promise(
        "A till that lost the answer repeats its call and gets the first answer; nothing is used twice.",
        holds=all(payload["replayed"] for payload in payloads) and payloads[0] == payloads[1],
        found=payloads,
    )


async def _try_again(world: World, code: str) -> None:
    error = await _refusal(world, code, customer=member(1))
    world.stage.promise(
        f"{member(1)} comes back with {code}. {_said(error)}",
        holds=error["code"] == "ALREADY_REDEEMED",
        found=error,
    )
    stranger = await _refusal(world, code, customer="stranger")
    guesser = await _refusal(world, "SNOW-GUESSWORK", customer="stranger")
    world.stage.promise(
        f"A stranger learns as little about it as about a code that does not exist. {_said(stranger)}",
        holds=stranger == guesser and stranger["code"] == "NOT_FOUND",
        found=(stranger, guesser),
    )


async def _race(world: World, code: str, *, customer: str) -> None:
    won: list[str] = []
    refused: list[str] = []

    async def redeem(till: int) -> None:
        payload = await world.checkout.send(documents.CODE_REDEEM, code=code, customer=customer, order=f"R-{till}")
        if payload["redemption"]:
            won.append(payload["redemption"]["id"])
        refused.extend(error["code"] for error in payload["userErrors"])

    await at_all_tills(range(TILLS), redeem)
    world.stage.promise(
        f"{TILLS} tills redeem one fresh code at the same moment: 1 is served, {TILLS - 1} are refused.",
        holds=len(won) == 1 and refused == ["ALREADY_REDEEMED"] * (TILLS - 1),
        found=f"{len(won)} served, refused: {refused}",
    )


async def _refusal(world: World, code: str, *, customer: str) -> dict[str, Any]:
    """Why this code was not redeemed; a code that was is a refusal without a reason."""
    payload = await world.checkout.send(documents.CODE_REDEEM, code=code, customer=customer)
    errors: list[dict[str, Any]] = payload["userErrors"]
    return errors[0] if errors and payload["redemption"] is None else {"code": None, "message": "It was redeemed."}


def _said(error: dict[str, Any]) -> str:
    return f'{error["code"]}: "{error["message"]}"'
