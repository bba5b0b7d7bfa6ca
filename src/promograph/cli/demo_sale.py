"""Acts 1 and 2: the flash sale is set up, its codes come from a file, and every member gets one."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from promograph.cli import demo_documents as documents
from promograph.cli.demo_world import World, member
from promograph.domain.clock import system_clock
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.making import generate

HANDLE = "powder-flash"
_TIME_ZONE = "America/Vancouver"
_DAYS = 3
_HOURS_VALID = 48
_MEMBERS_PER_CALL = 5_000


async def open_sale(world: World, file: Path, count: int) -> list[str]:
    """Create the promotion, load `count` codes from `file` (written first) and let it run; the codes."""
    promotion = await _create(world)
    codes = _write_list(file, count)
    await _load(world, promotion["id"], file.name, _content(file), codes)
    activated = await world.admin.do(documents.PROMOTION_ACTIVATE, id=promotion["id"])
    status = activated["promotion"]["status"]
    world.stage.promise("Activated: from now on its codes can be given out.", holds=status == "ACTIVE", found=status)
    return codes


async def _create(world: World) -> dict[str, Any]:
    last_day = system_clock().astimezone(ZoneInfo(_TIME_ZONE)).date() + timedelta(days=_DAYS)
    payload = await world.admin.do(
        documents.PROMOTION_CREATE,
        name="Powder Flash Sale",
        handle=HANDLE,
        description="20 % off lift tickets, for members",
        properties=[{"name": "season", "value": "winter"}, {"name": "resort", "value": "Larkspur Mountain"}],
        codeKind="PERSONALIZED",
        issuePolicy="PER_CUSTOMER",
        holderOnly=True,
        window={"timeZone": _TIME_ZONE, "endsOn": last_day.isoformat()},
        validFor=f"PT{_HOURS_VALID}H",
    )
    promotion: dict[str, Any] = payload["promotion"]
    midnight = datetime.combine(last_day + timedelta(days=1), time(), ZoneInfo(_TIME_ZONE))
    world.stage.promise(
        f"Powder Flash Sale is a draft: until the end of {last_day:%d %B} in {_TIME_ZONE}, each code for "
        f"{_HOURS_VALID} hours.",
        holds=promotion["status"] == "DRAFT" and datetime.fromisoformat(promotion["window"]["endsAt"]) == midnight,
        found=promotion,
    )
    return promotion


def _write_list(file: Path, count: int) -> list[str]:
    """A file as a marketer has it: `count` codes, then one of them again in lower case, then one with a space."""
    codes = generate(CodeFormat(prefix="SNOW-", length=8), count)
    file.write_text("\n".join([*codes, codes[0].lower(), "SNOW 2026"]) + "\n", encoding="utf-8")
    return codes


def _content(file: Path) -> bytes:
    return file.read_bytes()


async def _load(world: World, promotion: str, name: str, content: bytes, codes: Sequence[str]) -> None:
    count, began = len(codes), perf_counter()
    with world.stage.waiting(f"The server reads {name}"):
        payload = await world.admin.upload(documents.CODES_IMPORT, name=name, content=content, promotion=promotion)
    report, seconds = payload["report"], perf_counter() - began
    world.stage.promise(
        f"{name} uploaded, {len(content) / 1000:,.0f} kB: {count:,} codes added in {seconds:.2f} s "
        f"({count / seconds:,.0f} a second).",
        holds=(report["read"], report["added"]) == (count + 2, count) and payload["batch"]["size"] == count,
        found=report,
    )
    _promise_row(world, report["repeatedRows"], row=count + 1, shown=codes[0].lower())
    _promise_row(world, report["badRows"], row=count + 2, shown="SNOW 2026")


def _promise_row(world: World, rows: list[dict[str, Any]], *, row: int, shown: str) -> None:
    """The report names the one row that was made wrong on purpose, and why it was not added."""
    why = rows[0]["why"] if rows else ""
    world.stage.promise(
        f'Its report names row {row:,}, "{shown}": {why}',
        holds=[(each["row"], each["shown"]) for each in rows] == [(row, shown)],
        found=rows,
    )


async def give_codes(world: World, codes: Sequence[str]) -> list[str]:
    """Give as many members as there are codes one each; their codes, in the members' order."""
    count = len(codes)
    given: list[str] = []
    with world.stage.bar("Codes for members", count) as pace:
        for first in range(1, count + 1, _MEMBERS_PER_CALL):
            members = [member(number) for number in range(first, min(first + _MEMBERS_PER_CALL, count + 1))]
            payload = await world.channel.do(
                documents.CODES_ISSUE, promotion=HANDLE, customers=members, channel="email", idempotencyKey=members[0]
            )
            given += payload["codes"]
            pace.done(payload["issued"])
        seconds, rate = pace.seconds, pace.rate
    world.stage.promise(
        f"{count:,} members have {count:,} different codes, all from the file: {seconds:.2f} s ({rate:,.0f} a second).",
        holds=pace.count == len(given) == count and set(given) == set(codes),
        found=f"{pace.count:,} given, {len(set(given)):,} different, {len(set(given) - set(codes)):,} not of the file",
    )
    await _ask_again(world, given[0])
    return given


async def _ask_again(world: World, code: str) -> None:
    payload = await world.channel.do(documents.CODE_ISSUE, promotion=HANDLE, customer=member(1), channel="sms")
    issuance = payload["issuance"]
    given, ends = (datetime.fromisoformat(issuance[each]) for each in ("issuedAt", "expiresAt"))
    world.stage.promise(
        f"{member(1)} is to get one by SMS too: it is the same, {code}, good until {ends:%d %B %H:%M} UTC.",
        holds=issuance["text"] == code and ends - given == timedelta(hours=_HOURS_VALID),
        found=issuance,
    )
    numbers = await _numbers(world)
    world.stage.promise(
        "That used up no other code; the pool is empty, and nobody has two.",
        holds=(numbers["total"], numbers["issued"], numbers["available"]) == (numbers["customers"],) * 2 + (0,),
        found=numbers,
    )


async def try_out(world: World) -> str:
    """Ask for a code for a test message; the placeholder that comes instead."""
    before = await _numbers(world)
    payload = await world.channel.do(documents.CODE_ISSUE, promotion=HANDLE, customer="marketing", purpose="TEST")
    placeholder: str = payload["issuance"]["text"]
    world.stage.promise(
        f"A test message gets the placeholder {placeholder}, and no number has changed.",
        holds=payload["issuance"]["purpose"] == "TEST" and await _numbers(world) == before,
        found=payload["issuance"],
    )
    return placeholder


async def _numbers(world: World) -> dict[str, int]:
    data = await world.screen.ask(documents.INVENTORY, handle=HANDLE)
    numbers: dict[str, int] = data["promotion"]["inventory"]
    return numbers
