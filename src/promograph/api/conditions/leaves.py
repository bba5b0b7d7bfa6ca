"""The conditions that are not made of others, as inputs and as outputs of the same shape.

`data` of an input is what the rules read: see `domain.conditions`.
"""

from datetime import datetime
from typing import Any

import strawberry

from promograph.api.line_filters import LineFilter, LineFilterInput, filter_data
from promograph.api.money import Money, MoneyInput
from promograph.api.rights import EVERYBODY
from promograph.api.values import Value, ValueInput, read_value
from promograph.domain.conditions.times import Weekday
from promograph.domain.conditions.values import Op


@strawberry.input(
    description="How an attribute of the customer compares. One that is a list satisfies what any member satisfies."
)
class AttributeConditionInput:
    name: str = strawberry.field(description="The attribute's name.")
    op: Op = strawberry.field(description="How; LT, LTE, GT and GTE are for numbers and dates.")
    value: ValueInput | None = strawberry.field(
        default=None, description="With what: a list for IN, nothing for EXISTS, one value for all others."
    )

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "op": self.op, "value": None if self.value is None else read_value(self.value)}


@strawberry.type(description="How an attribute of the customer compares.", directives=EVERYBODY)
class AttributeCondition:
    name: str = strawberry.field(description="The attribute's name.")
    op: Op = strawberry.field(description="How.")
    value: Value | None = strawberry.field(description="With what; none for EXISTS.")


@strawberry.input(description="How many codes the customer has been issued.")
class IssuedConditionInput:
    op: Op = strawberry.field(description="How the number compares; neither IN nor EXISTS.")
    count: int = strawberry.field(description="With what.")
    promotion: str | None = strawberry.field(
        default=None, description="The handle of the promotion whose codes count; left out: of all."
    )
    since: datetime | None = strawberry.field(default=None, description="Only those issued from then on.")

    def data(self) -> dict[str, Any]:
        return {"op": self.op, "count": self.count, "promotion": self.promotion, "since": self.since}


@strawberry.type(description="How many codes the customer has been issued.", directives=EVERYBODY)
class IssuedCondition:
    op: Op = strawberry.field(description="How the number compares.")
    count: int = strawberry.field(description="With what.")
    promotion: str | None = strawberry.field(description="The handle of the promotion whose codes count; none: all.")
    since: datetime | None = strawberry.field(description="Only those issued from then on.")


@strawberry.input(description="How what the lines cost together compares, before discounts and shipping.")
class SubtotalConditionInput:
    op: Op = strawberry.field(description="How; neither IN nor EXISTS.")
    value: MoneyInput = strawberry.field(description="With what; it holds for no cart in another currency.")

    def data(self) -> dict[str, Any]:
        return {"op": self.op, "value": _money_data(self.value)}


@strawberry.type(description="How what the lines cost together compares.", directives=EVERYBODY)
class SubtotalCondition:
    op: Op = strawberry.field(description="How.")
    value: Money = strawberry.field(description="With what; it holds for no cart in another currency.")


@strawberry.input(description="The cart has so many units of some lines, which cost so much together.")
class LinesConditionInput:
    filter: LineFilterInput | None = strawberry.field(default=None, description="Of which lines; left out: of all.")
    quantity: int = strawberry.field(default=1, description="At least so many units.")
    amount: MoneyInput | None = strawberry.field(default=None, description="At least so much money.")

    def data(self) -> dict[str, Any]:
        return {
            "filter": None if self.filter is None else filter_data(self.filter),
            "quantity": self.quantity,
            "amount": None if self.amount is None else _money_data(self.amount),
        }


@strawberry.type(description="The cart has so many units of some lines.", directives=EVERYBODY)
class LinesCondition:
    filter: LineFilter | None = strawberry.field(description="Of which lines; none: of all.")
    quantity: int = strawberry.field(description="At least so many units.")
    amount: Money | None = strawberry.field(description="At least so much money.")


@strawberry.input(
    description="The weekday and the hour, as clocks show them in the promotion's time zone. Hours that run past "
    "midnight belong to the day on which they began. At least one of the three is needed."
)
class HoursConditionInput:
    weekdays: list[Weekday] | None = strawberry.field(default=None, description="On these days; left out: on any.")
    start: str | None = strawberry.field(default=None, description="From this time on, such as `18:00`.")
    end: str | None = strawberry.field(
        default=None, description="Until this time, such as `02:00`; `24:00` is midnight."
    )

    def data(self) -> dict[str, Any]:
        return {"weekdays": self.weekdays, "start": self.start, "end": self.end}


@strawberry.type(description="The weekday and the hour, in the promotion's time zone.", directives=EVERYBODY)
class HoursCondition:
    weekdays: list[Weekday] = strawberry.field(description="On these days.")
    start: str = strawberry.field(description="From this time on.")
    end: str = strawberry.field(description="Until this time.")


LeafInput = (
    AttributeConditionInput | IssuedConditionInput | SubtotalConditionInput | LinesConditionInput | HoursConditionInput
)


def _money_data(money: MoneyInput) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
