"""The channels that codes go by."""

import strawberry

from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.rights import PLANS
from promograph.channels import Capability

described(
    Capability,
    "ChannelCapability",
    "What a channel is for.",
    {
        "SEND_MESSAGES": "It carries messages to customers: sends may go by it.",
        "RECEIVE_EVENTS": "Its provider tells what became of messages.",
        "RECEIVE_ORDERS": "It hears of orders and refunds in a shop.",
        "PUSH_CODES": "It tells shops of promotions and their codes.",
    },
)


@strawberry.type(description="A way to customers or from them, which a plugin brings.", directives=PLANS)
class Channel:
    name: str = strawberry.field(description="The key under which codes are issued and compared.")
    title: str = strawberry.field(description="What it is called.")
    description: str = strawberry.field(description="What it reaches.")
    can: list[Capability] = strawberry.field(description="What it is for; nothing where it only labels codes.")


@strawberry.type
class ChannelQueries:
    @strawberry.field(description="The channels that this server has loaded, by name.", directives=PLANS)
    async def channels(self, info: Asked) -> list[Channel]:
        loaded = info.context.services.channels
        return [
            Channel(
                name=name,
                title=loaded[name].title,
                description=loaded[name].description,
                can=sorted(loaded[name].can),
            )
            for name in sorted(loaded)
        ]
