"""A send tried out: its message to a few addresses, with placeholders for codes. Nothing is used up or counted."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from promograph.channels import DeliveryStatus, Message
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.people.audiences import ADDRESSES
from promograph.domain.people.customers import CHECKS
from promograph.domain.refusals import Refusal
from promograph.errors import BadInput, InputProblem
from promograph.services.people import People
from promograph.services.sending.carriers import Carriers
from promograph.services.sending.delivering import deliver
from promograph.services.sending.filling import Recipient
from promograph.services.sending.sends import Sends, unknown
from promograph.services.sending.templating import Templating

MOST_ADDRESSES = 20
_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the provider said of the message to one address."""

    to: str
    accepted: bool
    why: str | None


class Trials:
    """Messages that go nowhere but to the addresses that they are asked for."""

    def __init__(self, going: Sends, templating: Templating, people: People, carriers: Carriers) -> None:
        self._sends = going
        self._templating = templating
        self._people = people
        self._carriers = carriers

    async def send(self, id_: int, addresses: Sequence[str], customer: str | None = None) -> list[Tried]:
        """The message as this customer (or one of whom nothing is known) would get it, to each address. BadInput."""
        if not 1 <= len(addresses) <= MOST_ADDRESSES:
            sentence = f"A test goes to 1 to {MOST_ADDRESSES} addresses."
            raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("to",))
        send = await self._sends.get(id_)
        if send is None:
            raise unknown()
        terms = send.terms
        channel = self._carriers.get(terms.channel)
        checked = [_checked(terms.channel, address, place) for place, address in enumerate(addresses)]
        message = await self._sends.message(send, begun=True)
        assert message.prepared is not None, "it has no problems"
        who = await (self._templating.sample({}) if customer is None else self._people.get(customer))
        if who is None:
            raise BadInput(InputProblem.NOT_FOUND, "Nobody told of this customer.", field=("customer",))
        key = f"test-{secrets.token_hex(8)}"
        (rendered,) = await self._templating.render(
            message.prepared, [Recipient(customer=who, message=key)], send=terms.key, purpose=Purpose.TEST
        )
        if rendered.message is None:
            why = rendered.problem
            sentence = why.message if isinstance(why, Refusal) else str(why)
            raise BadInput(InputProblem.STATE, f"This customer would get no message: {sentence}", field=("customer",))
        shown = rendered.message
        messages = [
            Message(key=f"{key}.{place}", to=to, text=shown.text or "", subject=shown.subject, html=shown.html)
            for place, to in enumerate(checked, 1)
        ]
        answers = await deliver(channel, messages, seconds=_SECONDS)
        return [
            Tried(to=to, accepted=answer.status is DeliveryStatus.ACCEPTED, why=answer.why)
            for to, answer in zip(checked, answers, strict=True)
        ]


def _checked(channel: str, address: str, place: int) -> str:
    try:
        return CHECKS[ADDRESSES[channel]](address)
    except BadInput as bad:
        raise BadInput(bad.problem, str(bad), field=("to", str(place))) from None
