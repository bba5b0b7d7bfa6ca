"""Handing messages to a channel: the one place where a plugin is trusted with a send, and no further than this."""

import asyncio
import logging
from collections.abc import Sequence

from promograph.channels import Delivery, DeliveryStatus, Message, MessageChannel

logger = logging.getLogger("promograph.delivering")

_LEAST = 25
_SECONDS_A_PART = 1.0


class Handing:
    """Handing messages over in parts, each as many as the channel takes in about a second: a server that is told to
    stop waits for the part that a channel has, and knows what became of each, instead of leaving it in mid-send."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}
        self._is_closing = False

    def close(self) -> None:
        """Begin no further part."""
        self._is_closing = True

    async def deliver(self, channel: MessageChannel, messages: Sequence[Message], *, seconds: float) -> list[Delivery]:
        """An answer for each of the first messages, in their order; `seconds` for each part. The others were not handed
        over: the server stops, or the channel takes nothing now."""
        clock = asyncio.get_running_loop().time
        answers: list[Delivery] = []
        while len(answers) < len(messages) and not self._is_closing:
            part = messages[len(answers) :][: self._most.get(channel.name, _LEAST)]
            begun = clock()
            said = await deliver(channel, part, seconds=seconds)
            answers += said
            if all(one.status is DeliveryStatus.TRY_AGAIN for one in said):
                break
            rate = len(part) / max(clock() - begun, 0.001)
            self._most[channel.name] = max(_LEAST, int(rate * _SECONDS_A_PART))
        return answers


async def deliver(channel: MessageChannel, messages: Sequence[Message], *, seconds: float) -> list[Delivery]:
    """An answer for each message, in their order, within `seconds`, whatever the channel does.

    A channel that raises, takes too long, or answers for other messages than it was given may have sent any of them:
    all are to be tried again, and their codes count as seen.
    """
    try:
        async with asyncio.timeout(seconds):
            answers = list(await channel.deliver(messages))
        if [answer.key for answer in answers] != [message.key for message in messages]:
            raise ValueError(f"{len(messages)} messages were given {len(answers)} answers, or those of others")
    except TimeoutError:
        why = f"The channel {channel.name} took longer than {seconds:g} s."
        logger.warning("the channel %s took longer than %g s", channel.name, seconds)
    except Exception as failure:
        why = f"The channel {channel.name} failed ({type(failure).__name__})."
        logger.exception("the channel %s failed", channel.name)
    else:
        return answers
    return [Delivery.try_again(message.key, why, maybe_taken=True) for message in messages]
