"""Promotions, their numbers and their codes as the schema shows them."""

from datetime import datetime
from typing import Annotated

import strawberry

from promograph.api.code import Batch, Code, batch_node, code_node
from promograph.api.conditions import Condition, shown_condition
from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.money import Money, shown_money
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.performance import Performance, shown_performance
from promograph.api.promotions.pushes import ShopPush, shown_push
from promograph.api.rewards import Reward, shown_reward
from promograph.api.rights import READ, WRITE
from promograph.api.scalars import Duration
from promograph.domain import promotions
from promograph.domain.codes import formats as code_formats
from promograph.domain.codes.states import CodeState
from promograph.domain.performing import By
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, EndReason, IssuePolicy, OnEmpty, PromotionStatus, ReturnPolicy
from promograph.domain.stock.selections import CodeSelection
from promograph.store import inventories
from promograph.store.budgets import Spending


@strawberry.type(description="A free property, to categorise and find promotions.", directives=READ)
class Property:
    name: str = strawberry.field(description="The property's name.")
    value: str = strawberry.field(description="The property's value.")


@strawberry.type(description="When a promotion runs.", directives=READ)
class Window:
    time_zone: str = strawberry.field(description="The IANA time zone in which its dates are meant.")
    starts_at: datetime | None = strawberry.field(description="Its first instant; none: open.")
    ends_at: datetime | None = strawberry.field(description="The first instant after it; none: open.")


@strawberry.type(description="How generated codes look.", directives=READ)
class CodeFormat:
    prefix: str = strawberry.field(description="Stands before the random part.")
    suffix: str = strawberry.field(description="Stands after the random part.")
    length: int = strawberry.field(description="How many random characters, where no pattern says so.")
    alphabet: str = strawberry.field(description="The random characters are of these.")
    pattern: str | None = strawberry.field(description="`#` is a random character, others stand for themselves.")
    check_character: bool = strawberry.field(
        description="Whether the last of the random characters is a check character, worked out from the others."
    )


@strawberry.type(
    description="A promotion's numbers, as of one moment: total = available + booked + issued + blocked + void. A "
    "fallback code is outside of them. The cost of asking does not depend on how many codes there are.",
    directives=READ,
)
class Inventory:
    total: int = strawberry.field(description="All codes.")
    available: int = strawberry.field(description="Codes that can still be issued (or, of MULTIPLE, used).")
    booked: int = strawberry.field(description="Codes that are set aside for sends; only these are issued them.")
    issued: int = strawberry.field(description="Codes that somebody has.")
    blocked: int = strawberry.field(description="Codes that are blocked.")
    void: int = strawberry.field(
        description="Codes that were stopped for good, and those that had expired when it was their turn to be issued."
    )
    redeemed: int = strawberry.field(description="Codes used at least once; issued, blocked and void ones among them.")
    redemptions: int = strawberry.field(description="Uses.")
    customers: int = strawberry.field(description="Customers who were given a code, the fallback included.")
    fallback_issued: int = strawberry.field(description="How often the fallback code was given.")
    fallback_active: bool = strawberry.field(description="Whether the fallback code is what customers get now.")
    low_stock: bool = strawberry.field(description="Whether there are as few codes left as `lowStockThreshold`.")
    runs_out_at: datetime | None = strawberry.field(
        description="When the pool is empty if codes go on being issued as in the last five minutes, hour or day, "
        "whichever is the fastest. None where it is empty, is not drained, cannot run out, or outlasts the promotion."
    )


@strawberry.type(
    description="The most that a promotion may give away: total = spent + held + left, exactly.", directives=READ
)
class Budget:
    total: Money = strawberry.field(description="All of it.")
    spent: Money = strawberry.field(description="Discounts given, less what was rolled back.")
    held: Money = strawberry.field(description="Discounts that open holds set aside.")
    left: Money = strawberry.field(description="What may be given yet.")


@strawberry.type(description="How often a customer may redeem within a stretch of the calendar.", directives=READ)
class PeriodCap:
    uses: int = strawberry.field(description="So many times.")
    period: Period = strawberry.field(description="In each of these, in the promotion's time zone.")


@strawberry.type(description="An offer, with the codes that it is claimed by.", directives=READ)
class Promotion(Node):
    facts: strawberry.Private[promotions.Promotion]
    numbers: strawberry.Private[Inventory | None]

    handle: str = strawberry.field(description="The unique name for templates and programs.")
    name: str = strawberry.field(description="The name for people.")
    description: str = strawberry.field(description="What it is about.")
    properties: list[Property] = strawberry.field(description="Free properties, by name.")
    status: PromotionStatus = strawberry.field(description="Where it is in its life, now.")
    end_reason: EndReason | None = strawberry.field(description="Why it has ended.")
    stop_redeeming: bool = strawberry.field(description="Whether codes that people hold stopped working with its end.")
    reward: Reward = strawberry.field(description="What its codes are worth.")
    code_kind: CodeKind = strawberry.field(description="How its codes relate to people.")
    issue_policy: IssuePolicy = strawberry.field(description="On which occasions a customer gets a code.")
    on_empty: OnEmpty = strawberry.field(description="What happens when the pool is empty.")
    return_policy: ReturnPolicy = strawberry.field(
        description="What becomes of the code of a message that did not arrive."
    )
    code_format: CodeFormat = strawberry.field(description="How its generated codes look, unless told otherwise.")
    window: Window = strawberry.field(description="When it runs.")
    valid_for: Duration | None = strawberry.field(description="How long an issued code works, within the window.")
    audience_cap: int | None = strawberry.field(description="At most so many customers are given a code.")
    uses_per_code: int | None = strawberry.field(description="How often a code works; none: without limit.")
    uses_per_customer: int | None = strawberry.field(description="How often a customer may redeem it.")
    uses_per_period: PeriodCap | None = strawberry.field(
        description="How often a customer may redeem it within a stretch of the calendar."
    )
    redemption_cap: int | None = strawberry.field(description="At most so many uses, open holds included.")
    low_stock_threshold: int | None = strawberry.field(
        description="With so many codes left, or fewer, the pool is low; none: nobody is told until it is empty."
    )
    holder_only: bool = strawberry.field(description="Whether only the customer who was given a code may redeem it.")
    code_required: bool = strawberry.field(
        description="Whether it takes a code; if not, it also applies to an eligible cart by itself."
    )
    combinable: bool = strawberry.field(description="Whether it shares a cart with others that do the same.")
    priority: int = strawberry.field(
        description="Of those that share a cart, the one of the highest priority takes its discount first."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @strawberry.field(description="Its numbers.", directives=READ)
    def inventory(self, info: Asked) -> Inventory:
        if self.numbers is not None:
            return self.numbers
        return _counted(info, self.facts.id)  # type: ignore[return-value]  # it is awaited by whoever executes

    @strawberry.field(description="What has to hold for its codes to be redeemed; none: nothing.", directives=READ)
    async def condition(self, info: Asked) -> Condition | None:
        condition = self.facts.terms.condition
        if condition is None:
            return None
        return shown_condition(condition, names=await info.context.services.segmenting.names(condition))

    @strawberry.field(description="The most that it may give away; none: no limit.", directives=READ)
    async def budget(self, info: Asked) -> Budget | None:
        found = None if self.facts.terms.budget is None else await info.context.spending(self.facts.id)
        return None if found is None else shown_budget(found)

    @strawberry.field(description="The text of a SINGLE promotion's code.", directives=WRITE)
    async def single_code(self, info: Asked) -> str | None:
        return await info.context.shared_code(self.facts.id) if self.code_kind is CodeKind.SINGLE else None

    @strawberry.field(description="The text of the fallback code.", directives=WRITE)
    async def fallback_code(self, info: Asked) -> str | None:
        return None if self.code_kind is CodeKind.SINGLE else await info.context.shared_code(self.facts.id)

    @strawberry.field(description="Its codes, those that wait first in line first.", directives=WRITE)
    async def codes(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        state: Annotated[CodeState | None, strawberry.argument(description="Only codes in this state.")] = None,
        batch: Annotated[strawberry.ID | None, strawberry.argument(description="Only codes of this batch.")] = None,
    ) -> Connection[Code]:
        list_name = f"codes.{self.facts.id}"
        part = slice_of(first, after, last, before, list_name=list_name)
        selection = CodeSelection(
            promotion=self.facts,
            states=frozenset() if state is None else frozenset({state}),
            batch_id=None if batch is None else read_number(batch, "Batch", "batch"),
        )
        page, now = await info.context.services.stocking.codes(selection, part), info.context.now
        return connection_of(page, list_name, lambda standing: code_node(standing, now))

    @strawberry.field(
        description="How well it does, by channel, batch, send or day: at most 1,000 groups, and refused beyond.",
        directives=WRITE,
    )
    async def performance(
        self, info: Asked, by: Annotated[By, strawberry.argument(description="What the groups are.")]
    ) -> list[Performance]:
        groups = await info.context.services.happenings.performance(self.facts, by)
        return [shown_performance(group, by) for group in groups]

    @strawberry.field(description="How it stands in the shops that were told of it, by name.", directives=WRITE)
    async def pushes(self, info: Asked) -> list[ShopPush]:
        return [shown_push(standing) for standing in await info.context.pushes(self.facts.id) or ()]

    @strawberry.field(description="The acts that added codes, the latest first.", directives=WRITE)
    async def batches(
        self, info: Asked, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Batch]:
        list_name = f"batches.{self.facts.id}"
        part = slice_of(first, after, last, before, list_name=list_name)
        page = await info.context.services.stocking.batches(self.facts.id, part)
        return connection_of(page, list_name, batch_node)


async def _counted(info: Asked, id_: int) -> Inventory:
    found = await info.context.inventory(id_)
    assert found is not None, "every promotion has a stock row"
    return shown_inventory(found)


def promotion_node(
    facts: promotions.Promotion, now: datetime, numbers: inventories.Inventory | None = None
) -> Promotion:
    """The node; `numbers` where they are known already, as of the same moment."""
    terms, period = facts.terms, facts.terms.uses_per_period
    return Promotion(
        id=global_id("Promotion", facts.id),
        facts=facts,
        numbers=None if numbers is None else shown_inventory(numbers),
        handle=terms.handle,
        name=terms.name,
        description=terms.description,
        properties=[Property(name=name, value=value) for name, value in sorted(terms.properties.items())],
        status=facts.status(now),
        end_reason=facts.end_reason(now),
        stop_redeeming=facts.stop_redeeming,
        reward=shown_reward(terms.reward),
        code_kind=terms.code_kind,
        issue_policy=terms.issue_policy,
        on_empty=terms.on_empty,
        return_policy=terms.return_policy,
        code_format=shown_format(terms.code_format),
        window=Window(time_zone=terms.window.time_zone, starts_at=terms.window.starts_at, ends_at=terms.window.ends_at),
        valid_for=None if terms.valid_for is None else Duration(terms.valid_for),
        audience_cap=terms.audience_cap,
        uses_per_code=terms.uses_per_code,
        uses_per_customer=terms.uses_per_customer,
        uses_per_period=None if period is None else PeriodCap(uses=period.uses, period=period.period),
        redemption_cap=terms.redemption_cap,
        low_stock_threshold=terms.low_stock_threshold,
        holder_only=terms.holder_only,
        code_required=terms.code_required,
        combinable=terms.combinable,
        priority=terms.priority,
        created_at=facts.created_at,
        updated_at=facts.updated_at,
    )


def shown_format(look: code_formats.CodeFormat) -> CodeFormat:
    return CodeFormat(
        prefix=look.prefix,
        suffix=look.suffix,
        length=look.length,
        alphabet=look.alphabet,
        pattern=look.pattern,
        check_character=look.check,
    )


def shown_inventory(numbers: inventories.Inventory) -> Inventory:
    return Inventory(
        total=numbers.total,
        available=numbers.available,
        booked=numbers.booked,
        issued=numbers.issued,
        blocked=numbers.blocked,
        void=numbers.void,
        redeemed=numbers.redeemed,
        redemptions=numbers.redemptions,
        customers=numbers.customers,
        fallback_issued=numbers.fallback_issued,
        fallback_active=numbers.fallback_active,
        low_stock=numbers.low_stock,
        runs_out_at=numbers.runs_out_at,
    )


def shown_budget(spending: Spending) -> Budget:
    return Budget(
        total=shown_money(spending.total),
        spent=shown_money(spending.spent),
        held=shown_money(spending.held),
        left=shown_money(spending.left),
    )
