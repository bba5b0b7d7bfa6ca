"""How members of an audience stand to a send: in its final audience, or why not."""

from typing import Any

import strawberry

from promograph.api.connections import Connection
from promograph.api.enums import described
from promograph.api.rights import PEOPLE
from promograph.domain.sending.standings import Standing

described(
    Standing,
    "SendStanding",
    "How somebody in an audience stands to a send through a channel: the first reason that applies.",
    {
        "UNKNOWN_CUSTOMER": "Nobody has told of them.",
        "NO_ADDRESS": "They have no address for the channel.",
        "NO_CONSENT": "They have not agreed to be written to there.",
        "NO_CODE": "They can be written to, and have no code.",
        "CODE_SPENT": "They can be written to, and their code was used, blocked or made void.",
        "FALLBACK": "They can be written to, and have the fallback code.",
        "REACHED": "They can be written to, and have a code: the final audience.",
    },
)


@strawberry.type(description="Somebody in an audience, and how they stand to a send.", directives=PEOPLE)
class AudienceStanding:
    customer_id: str = strawberry.field(description="The customer, by the caller's own id.")
    standing: Standing = strawberry.field(description="Whether the send reaches them with a code, or why not.")


@strawberry.type(description="One page of an audience's standings.", directives=PEOPLE)
class AudienceStandingConnection(Connection[AudienceStanding]):
    pass


@strawberry.input(description="The send to which members of an audience stand in some way.")
class StandingsInput:
    promotion: str = strawberry.field(description="The handle of the promotion whose codes it sends.")
    channel: str = strawberry.field(description="Its channel: `email` or `sms`.")
    send: str | None = strawberry.field(
        default=None, description="Its key: codes given with it count, where the promotion issues more than one."
    )
    standings: list[Standing] = strawberry.field(
        default_factory=lambda: [Standing.REACHED],
        description="Only those who stand in one of these ways; left out: the final audience.",
    )


def standing_of(row: Any) -> AudienceStanding:
    """From (customer, standing)."""
    return AudienceStanding(customer_id=row[0], standing=Standing(row[1]))
