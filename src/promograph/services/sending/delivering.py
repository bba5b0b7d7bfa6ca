"""Handing messages to a channel: the one place where a plugin is trusted with a send, and no further than this."""

import asyncio
import logging
from collections.abc import Sequence

from promograph.channels import Delivery, Message, MessageChannel

logger = logging.getLogger("promograph.delivering")


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
