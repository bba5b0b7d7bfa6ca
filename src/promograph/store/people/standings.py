"""Who of an audience has which kind of code for a send, and how they stand to it: one statement for all of them."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.issuing import IssueRequest, occasion
from promograph.domain.people.audiences import ADDRESSES, Audience
from promograph.domain.promotions import Promotion
from promograph.domain.sending.standings import FinalAudience, Standing
from promograph.errors import BadInput
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.people.audience_members import members_of
from promograph.store.people.condition_sql import FIRST_ISSUED, USABLE
from promograph.store.statements import Statement

_CODES = "FROM issuance i JOIN code k ON k.promotion_id = i.promotion_id AND k.seq = i.seq WHERE"
_KIND = f"CASE WHEN NOT ({USABLE}) THEN 1 WHEN i.kind = 'FALLBACK' THEN 2 ELSE 3 END"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which send: of an audience, with codes of a promotion. `channel`: only those whom it reaches."""

    audience: Audience
    promotion: Promotion
    send: str | None = None
    channel: str | None = None

    @property
    def occasion(self) -> str | None:
        """Where issuing with this send's key would give again what was given; None where it would be something new."""
        asked = IssueRequest(promotion=self.promotion.terms.handle, customer="", send=self.send)
        try:
            return occasion(self.promotion.terms.issue_policy, asked)
        except BadInput:
            return None  # each message, or a send without a key, is a new occasion


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes that customers have of a send's promotion.

    `grouped` is a table (customer, holds, best) of those who have any: whether they hold one that they can still use
    (0 or 1), and of the codes given for this send the best one, or null: 1 is used, blocked or void, 2 the shared one,
    3 one of their own.
    """

    grouped: str
    best: str
    params: Mapping[str, Any]


def codes_for(wanted: Wanted) -> Codes:
    params: dict[str, Any] = {"promotion_id": wanted.promotion.id}
    given = "true"
    if wanted.occasion is not None:
        given, params["given"] = "i.occasion = :given", wanted.occasion
    elif wanted.send is not None:
        given, params["given"] = "i.send = :given", wanted.send
    best = f"max(CASE WHEN {given} THEN {_KIND} END)"
    return Codes(
        grouped=f"(SELECT i.customer, max(CASE WHEN {USABLE} THEN 1 ELSE 0 END) AS holds, {best} AS best {_CODES} "
        f"i.promotion_id = :promotion_id AND {FIRST_ISSUED} GROUP BY i.customer)",
        # Of a few at a time, one after the other; the sum keeps planners from walking all of the promotion's.
        best=f"(SELECT {best} {_CODES} i.customer = c.id AND i.promotion_id + 0 = :promotion_id AND {FIRST_ISSUED})",
        params=params,
    )


def count(connection: Connection, wanted: Wanted, now: datetime) -> list[FinalAudience]:
    """By channel, in one look at everybody."""
    members, codes = members_of(connection, wanted.audience, now), codes_for(wanted)
    channels = list(ADDRESSES)
    shown = ", ".join(f"{_standing(channel, 'h.best')} AS s{n}" for n, channel in enumerate(channels))
    groups = ", ".join(f"s.s{n}" for n in range(len(channels)))
    statement = Statement(
        f"SELECT count(*), {groups} FROM (SELECT {shown} FROM (SELECT c.id, c.email, c.phone, c.consent, c.created_at "
        f"{members.rows}) c LEFT JOIN {codes.grouped} h ON h.customer = c.id) s GROUP BY {groups}"
    )
    counts = [Counter[Standing]() for _ in channels]
    for number, *standings in statement.fetch(connection, **members.params, **codes.params):
        for counted, standing in zip(counts, standings, strict=True):
            counted[Standing(standing)] += number
    return [FinalAudience(channel=channel, counts=one) for channel, one in zip(channels, counts, strict=True)]


def page(
    connection: Connection, wanted: Wanted, channel: str, among: Collection[Standing], part: Slice, now: datetime
) -> Page:
    """Rows (customer, standing) of those who stand in one of these ways, in the order of ids."""
    members, codes = members_of(connection, wanted.audience, now), codes_for(wanted)
    chosen = ", ".join(f"'{standing}'" for standing in Standing if standing in among)
    standing = _standing(channel, codes.best)
    rows = f"FROM (SELECT c.id, {standing} AS standing {members.rows}) c WHERE c.standing IN ({chosen})"
    return keyset.page(connection, "c.id, c.standing", rows, {**members.params, **codes.params}, part)


def _standing(channel: str, best: str) -> str:
    """Of `customer c`, or of somebody who was never told of."""
    agreed = f"coalesce(c.consent -> '{channel}' = 'true', false)"
    return (
        f"CASE WHEN c.created_at IS NULL THEN '{Standing.UNKNOWN_CUSTOMER}' "
        f"WHEN c.{ADDRESSES[channel]} IS NULL THEN '{Standing.NO_ADDRESS}' WHEN NOT {agreed} "
        f"THEN '{Standing.NO_CONSENT}' ELSE CASE {best} WHEN 3 THEN '{Standing.REACHED}' "
        f"WHEN 2 THEN '{Standing.FALLBACK}' WHEN 1 THEN '{Standing.CODE_SPENT}' ELSE '{Standing.NO_CODE}' END END"
    )
