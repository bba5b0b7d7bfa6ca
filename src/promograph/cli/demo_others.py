"""Act 4: three more promotions, so that the lobby has something to compare."""

from typing import Any

from promograph.cli import demo_documents as documents
from promograph.cli.demo_world import Counted, World, at_all_tills, member

_SHARED_WITH = 300
_SHARED_USES = 120
_BIRTHDAY_CODES = 1_000
_BIRTHDAYS = 430
_SPA_CODES = 20
_SPA_GUESTS = 30


async def more_promotions(world: World) -> list[Counted]:
    """Set them up and use them; what the lobby must say of them."""
    return [await _one_code_for_all(world), await _made_here(world), await _emptied(world)]


async def _one_code_for_all(world: World) -> Counted:
    handle = "save20"
    promotion = await _draft(world, name="Save 20 on Rentals", handle=handle, codeKind="SINGLE", singleCode="SAVE20")
    await _activate(world, promotion)
    codes = await _give(world, handle, _SHARED_WITH)
    used: list[str] = []

    async def use(number: int) -> None:
        # People type it as they like.
        payload = await world.checkout.do(documents.CODE_REDEEM, code=" save20 " if number % 2 else "SAVE20")
        used.append(payload["redemption"]["id"])

    await at_all_tills(range(_SHARED_USES), use)
    world.stage.promise(
        f"SAVE20, one code for everybody: given to {_SHARED_WITH}, used {_SHARED_USES} times, in upper and lower case.",
        holds=set(codes) == {"SAVE20"} and len(set(used)) == _SHARED_USES,
        found=f"{set(codes)}, {len(set(used))} redemptions",
    )
    return Counted(handle=handle, total=1, issued=1, redemptions=_SHARED_USES)


async def _made_here(world: World) -> Counted:
    handle = "birthday"
    promotion = await _draft(world, name="Birthday Lift Ticket", handle=handle)
    made = await world.admin.do(
        documents.CODES_GENERATE, promotion=promotion, count=_BIRTHDAY_CODES, format={"prefix": "BDAY-"}
    )
    await _activate(world, promotion)
    codes = await _give(world, handle, _BIRTHDAYS)
    world.stage.promise(
        f"Birthday Lift Ticket: {_BIRTHDAY_CODES:,} codes made here, such as {codes[0]}; {_BIRTHDAYS} are given out.",
        holds=made["batch"]["size"] == _BIRTHDAY_CODES and len(set(codes)) == _BIRTHDAYS,
        found=f"{made['batch']}, {len(set(codes))} different codes",
    )
    return Counted(handle=handle, total=_BIRTHDAY_CODES, issued=_BIRTHDAYS, redemptions=0)


async def _emptied(world: World) -> Counted:
    handle = "spa-weekday"
    promotion = await _draft(world, name="Spa Weekday", handle=handle, onEmpty="FALLBACK", fallbackCode="SPA10")
    pasted = [f"SPA-{number:03}-LARKSPUR" for number in range(1, _SPA_CODES + 1)]
    await world.admin.do(documents.CODES_ADD, promotion=promotion, codes="\n".join(pasted))
    await _activate(world, promotion)
    codes = await _give(world, handle, _SPA_GUESTS)
    late = _SPA_GUESTS - _SPA_CODES
    world.stage.promise(
        f"Spa Weekday: {_SPA_CODES} codes for {_SPA_GUESTS} guests; the {late} who came late have the fallback SPA10.",
        holds=codes == pasted + ["SPA10"] * late,
        found=codes,
    )
    return Counted(handle=handle, total=_SPA_CODES, issued=_SPA_CODES, redemptions=0, fallback_active=True)


async def _draft(world: World, **terms: Any) -> str:
    """The id of a new promotion."""
    created = await world.admin.do(documents.PROMOTION_CREATE, **terms)
    id_: str = created["promotion"]["id"]
    return id_


async def _activate(world: World, promotion: str) -> None:
    await world.admin.do(documents.PROMOTION_ACTIVATE, id=promotion)


async def _give(world: World, handle: str, count: int) -> list[str]:
    customers = [member(number) for number in range(1, count + 1)]
    payload = await world.channel.do(documents.CODES_ISSUE, promotion=handle, customers=customers, channel="email")
    codes: list[str] = payload["codes"]
    return codes
