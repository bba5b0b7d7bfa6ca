"""One message for one customer, from the codes that it asks for to its text."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from promograph.domain.codes.placeholders import Purpose
from promograph.domain.issuing import Issuance, IssueOutcome, IssueRequest
from promograph.domain.people.customers import Customer
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal
from promograph.domain.sending.messages import LONGEST_SMS, CodeAsk, Medium, Message, MessageCode
from promograph.domain.sending.sms_segments import keep_whole
from promograph.domain.windows import last_instant
from promograph.errors import BadInput, InputProblem
from promograph.templates.rendering import MessageTemplate
from promograph.templates.values import CannotRender


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedMessage:
    """A message whose names all mean something, ready to be rendered for many. `promotions`: by handle."""

    medium: Medium
    template: MessageTemplate
    promotions: Mapping[str, Promotion]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who a message is for. `message` is its key: the same key, the same codes, however often it is rendered."""

    customer: Customer
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A recipient's message, or why there is none; and the codes that were issued for it, all the same.

    `missing`: why there was no code, where a text stands in for one.
    """

    message: Message | None = None
    problem: Refusal | BadInput | None = None
    issuances: tuple[Issuance, ...] = ()
    missing: Refusal | None = None


@dataclass(slots=True)
class Filling:
    """A message on its way: the answers that there are to what it asks for."""

    recipient: Recipient
    codes: dict[CodeAsk, MessageCode | Refusal] = field(default_factory=dict)
    issuances: list[Issuance] = field(default_factory=list)
    problem: BadInput | None = None

    def wanted(self, prepared: PreparedMessage) -> "list[Wanted]":
        """What is to be asked for next; nothing when it can be rendered, or never will be."""
        if self.problem is not None:
            return []
        asks = prepared.template.wanted(self.recipient.customer, self.codes)
        return [Wanted(self, ask) for ask in asks]

    def rendered(self, prepared: PreparedMessage) -> Rendering:
        issuances = tuple(self.issuances)
        if self.problem is not None:
            return Rendering(problem=self.problem, issuances=issuances)
        try:
            message = prepared.template.render(self.recipient.customer, self.codes)
            if prepared.medium is Medium.SMS:
                message = _fitted(message)
        except CannotRender as why:
            problem = why.refusal or BadInput(InputProblem.OUT_OF_RANGE, str(why), field=("content",))
            return Rendering(problem=problem, issuances=issuances)
        missing = next((found for found in self.codes.values() if isinstance(found, Refusal)), None)
        return Rendering(message=message, issuances=issuances, missing=missing)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A code that a message asks for."""

    filling: Filling
    ask: CodeAsk

    def request(
        self, *, send: str | None, channel: str | None, purpose: Purpose, fallback: bool, tentative: bool
    ) -> IssueRequest:
        return IssueRequest(
            promotion=self.ask.promotion,
            customer=self.filling.recipient.customer.id,
            send=send or self.filling.recipient.message,
            message=self.filling.recipient.message,
            channel=channel,
            purpose=purpose,
            fallback=fallback,
            tentative=tentative,
        )

    def answer(self, outcome: IssueOutcome, prepared: PreparedMessage) -> None:
        issuance, filling = outcome.issuance, self.filling
        if issuance is not None:
            filling.issuances.append(issuance)
            zone = prepared.promotions[self.ask.promotion].terms.window.time_zone
            expires_at = last_instant(issuance.expires_at, zone)
            filling.codes[self.ask] = MessageCode(issuance.text, expires_at)
        elif isinstance(outcome.problem, Refusal):
            filling.codes[self.ask] = outcome.problem
        else:
            filling.problem = outcome.problem


def _fitted(message: Message) -> Message:
    """An SMS with its codes on one segment each, where that can be done."""
    text = keep_whole(message.text or "", message.codes)
    if len(text) > LONGEST_SMS:
        raise CannotRender(f"The SMS becomes longer than {LONGEST_SMS:,} characters.")
    return replace(message, text=text)
