"""Messages with codes in them: checked before they are saved, shown before they are sent."""

from typing import Any

import strawberry

from promograph.api.answering import Given
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.rights import PLANS, SENDS
from promograph.api.scalars import Attributes
from promograph.api.user_errors import UserError, user_error
from promograph.domain.sending import messages, sms_segments
from promograph.domain.sending.messages import CodeAct, Medium, MessageContent, MessagePart, TemplateFault
from promograph.domain.sending.sms_segments import SmsEncoding
from promograph.errors import BadInput, InputProblem
from promograph.services.sending.templating import MessageDraft

described(
    Medium,
    "MessageMedium",
    "What a message travels by.",
    {"EMAIL": "E-mail: a subject, and a text, HTML or both.", "SMS": "SMS: a text."},
)
described(
    MessagePart,
    "MessagePart",
    "A part of a message.",
    {"SUBJECT": "The subject of an e-mail.", "TEXT": "The plain text.", "HTML": "The same as HTML."},
)
described(
    CodeAct,
    "MessageCodeAct",
    "How a message asks for a code.",
    {"ISSUE": "A code of the customer's own.", "REPEAT": "The code that the customer was given last, again."},
)
described(
    TemplateFault,
    "TemplateFault",
    "What is wrong with a template.",
    {
        "SYNTAX": "It is not a tag, or a tag that does not end.",
        "NOT_ALLOWED": "Templates do not have this.",
        "UNKNOWN_NAME": "There is no such field, attribute, property or filter.",
        "UNKNOWN_PROMOTION": "No promotion has this handle or name, or several have the name.",
        "PROMOTION_OVER": "The promotion issues no codes any more.",
        "TOO_LARGE": "It is too long, too deep, or too much work for each message.",
    },
)
described(
    SmsEncoding,
    "SmsEncoding",
    "How the characters of an SMS are written.",
    {
        "GSM_7": "In 7 bits: 160 characters, or 153 in each of several segments.",
        "UCS_2": "In 16 bits, because of characters that 7 bits do not have: 70, or 67 in each of several segments.",
    },
)


@strawberry.input(description="The parts of a message; each is a template.")
class MessageContentInput:
    subject: str | None = strawberry.field(default=None, description="The subject of an e-mail.")
    text: str | None = strawberry.field(default=None, description="The plain text; all there is of an SMS.")
    html: str | None = strawberry.field(default=None, description="The same as HTML. What is filled in is escaped.")


_MEDIUM = "What it travels by."
_CONTENT = "Its parts."
_PROMOTION = "The handle or name of the promotion that it is for: whose code `{{ promocode }}` is."


@strawberry.input(description="A message to check.")
class TemplateCheckInput:
    medium: Medium = strawberry.field(description=_MEDIUM)
    content: MessageContentInput = strawberry.field(description=_CONTENT)
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)


@strawberry.input(description="A customer who is made up.")
class SampleCustomerInput:
    email: str | None = strawberry.field(default=None, description="The address of their e-mail.")
    phone: str | None = strawberry.field(default=None, description="The number of their phone.")
    locale: str | None = strawberry.field(default=None, description="Their language and country.")
    attributes: Attributes | None = strawberry.field(default=None, description="What else is known of them.")


@strawberry.input(description="A message to look at, as a customer would get it.")
class TemplatePreviewInput:
    medium: Medium = strawberry.field(description=_MEDIUM)
    content: MessageContentInput = strawberry.field(description=_CONTENT)
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)
    customer: strawberry.ID | None = strawberry.field(default=None, description="The customer, by your own id.")
    sample: SampleCustomerInput | None = strawberry.field(
        default=None, description="One who is made up, instead; without either, one of whom nothing is known."
    )
    with_codes: bool = strawberry.field(default=True, description="False: as for somebody for whom there is no code.")


@strawberry.type(description="One thing to mend in a template.", directives=PLANS)
class TemplateProblem:
    part: MessagePart = strawberry.field(description="In which part.")
    line: int = strawberry.field(description="On which of its lines, from 1 on.")
    code: TemplateFault = strawberry.field(description="What it is, for programs.")
    message: str = strawberry.field(description="What it is and what would mend it, for people.")


@strawberry.type(description="A code that a message asks for.", directives=PLANS)
class TemplateCode:
    promotion_handle: str = strawberry.field(description="The handle of its promotion.")
    promotion_name: str = strawberry.field(description="The name of its promotion.")
    act: CodeAct = strawberry.field(description="How it is asked for.")


@strawberry.type(description="What is to be said about a message before it is saved.", directives=PLANS)
class TemplateCheck:
    problems: list[TemplateProblem] = strawberry.field(description="All that is to be mended, by part and line.")
    codes: list[TemplateCode] = strawberry.field(description="The codes that it asks for; none while it has problems.")
    attributes: list[str] = strawberry.field(description="The attributes of customers that it shows or asks about.")


@strawberry.type(description="How much of a phone network an SMS takes.", directives=SENDS)
class SmsSize:
    encoding: SmsEncoding = strawberry.field(description="How its characters are written.")
    units: int = strawberry.field(description="The places that it takes: of 7 bits or of 16.")
    segments: int = strawberry.field(description="In how many segments it goes; each is paid for.")
    beyond: list[str] = strawberry.field(description="The first few characters that 7 bits do not have.")
    split_codes: list[str] = strawberry.field(description="Codes that lie across two segments, and could not be moved.")


@strawberry.type(description="A message as a customer would get it.", directives=SENDS)
class MessagePreview:
    subject: str | None = strawberry.field(description="The subject.")
    text: str | None = strawberry.field(description="The plain text.")
    html: str | None = strawberry.field(description="The HTML.")
    codes: list[str] = strawberry.field(description="The placeholders in it, which no checkout takes.")
    sms: SmsSize | None = strawberry.field(description="The size of an SMS with these placeholders for codes.")


@strawberry.type(description="A message as a customer would get it, or why they would get none.", directives=SENDS)
class TemplatePreview:
    problems: list[TemplateProblem] = strawberry.field(
        description="All that is to be mended; then there is no message."
    )
    message: MessagePreview | None = strawberry.field(description="The message; none where it cannot be had.")
    skipped: UserError | None = strawberry.field(description="Why this customer would get none.")


@strawberry.type
class TemplateQueries:
    @strawberry.field(
        description="All that is wrong with a message, and which codes it asks for. Looks, and changes nothing.",
        directives=PLANS,
    )
    async def template_check(self, info: Asked, input: Given[TemplateCheckInput]) -> TemplateCheck:
        checked = await info.context.services.templating.check(_draft(input))
        codes = [
            TemplateCode(promotion_handle=found.terms.handle, promotion_name=found.terms.name, act=act)
            for found, act in checked.asks
        ]
        return TemplateCheck(problems=_problems(checked.problems), codes=codes, attributes=list(checked.attributes))

    @strawberry.field(
        description="A message with placeholders for codes: nothing is used up, and nothing is counted.",
        directives=SENDS,
    )
    async def template_preview(self, info: Asked, input: Given[TemplatePreviewInput]) -> TemplatePreview:
        templating = info.context.services.templating
        customer = await _customer(info, input)
        checked = await templating.check(_draft(input))
        if checked.prepared is None:
            return TemplatePreview(problems=_problems(checked.problems), message=None, skipped=None)
        shown = await templating.preview(checked.prepared, customer, has_codes=input.with_codes)
        return TemplatePreview(
            problems=[],
            message=None if shown.message is None else _message(shown.message, input.medium),
            skipped=None if shown.problem is None else user_error(shown.problem),
        )


async def _customer(info: Asked, input: TemplatePreviewInput) -> Any:
    if input.customer is None:
        sample = input.sample or SampleCustomerInput()
        given = {"email": sample.email, "phone": sample.phone, "locale": sample.locale}
        return await info.context.services.templating.sample({**given, "attributes": sample.attributes})
    if input.sample is not None:
        raise BadInput(InputProblem.INVALID, "Give either a customer or a sample.", field=("sample",))
    found = await info.context.services.people.get(input.customer)
    if found is None:
        raise BadInput(InputProblem.NOT_FOUND, "Nobody told of this customer; use a sample.", field=("customer",))
    return found


def _draft(input: TemplateCheckInput | TemplatePreviewInput) -> MessageDraft:
    content = MessageContent(subject=input.content.subject, text=input.content.text, html=input.content.html)
    return MessageDraft(medium=input.medium, content=content, promotion=input.promotion)


def _problems(problems: tuple[messages.TemplateProblem, ...]) -> list[TemplateProblem]:
    return [
        TemplateProblem(part=problem.part, line=problem.line, code=problem.fault, message=problem.message)
        for problem in problems
    ]


def _message(message: messages.Message, medium: Medium) -> MessagePreview:
    size = sms_segments.measure(message.text or "", message.codes) if medium is Medium.SMS else None
    return MessagePreview(
        subject=message.subject,
        text=message.text,
        html=message.html,
        codes=list(message.codes),
        sms=None if size is None else _size(size),
    )


def _size(size: sms_segments.SmsSize) -> SmsSize:
    return SmsSize(
        encoding=size.encoding,
        units=size.units,
        segments=size.segments,
        beyond=list(size.beyond),
        split_codes=list(size.split),
    )
