"""The whole schema, put together from one file per noun."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from promograph.api.bookings import BookingMutations, BookingQueries
from promograph.api.channels import ChannelQueries
from promograph.api.codes.batches import BatchMutations
from promograph.api.codes.changes import CodeChangeMutations
from promograph.api.codes.exports import CodeExportMutations
from promograph.api.codes.imports import CodeImportMutations
from promograph.api.codes.mutations import CodeMutations
from promograph.api.codes.replacing import CodeReplaceMutations
from promograph.api.documents import Documents
from promograph.api.documents.schema import Schema
from promograph.api.events import EventQueries
from promograph.api.hold_operations import HoldMutations
from promograph.api.issue_mutations import IssueMutations
from promograph.api.jobs import JobMutations, JobQueries
from promograph.api.long_lists import LongListExecutor
from promograph.api.people.audiences import AudienceMutations, AudienceQueries
from promograph.api.people.customers import CustomerMutations, CustomerQueries
from promograph.api.people.imports import CustomerImportMutations
from promograph.api.people.segments import SegmentMutations, SegmentQueries
from promograph.api.promotion_queries import PromotionQueries
from promograph.api.promotions.mutations import PromotionMutations
from promograph.api.promotions.summary import PromotionSummaryQueries
from promograph.api.redeem_operations import RedeemMutations, RedeemQueries
from promograph.api.reward_types import RewardTypeMutations, RewardTypeQueries
from promograph.api.scalars import SCALARS
from promograph.api.send_plans import SendPlanQueries
from promograph.api.sends.messages import SendMessageMutations
from promograph.api.sends.mutations import SendMutations
from promograph.api.sends.queries import SendQueries
from promograph.api.shop_orders import ShopOrderMutations, ShopOrderQueries
from promograph.api.shops.differences import DifferenceMutations, DifferenceQueries
from promograph.api.shops.pushing import ShopMutations, ShopQueries
from promograph.api.subscriptions import Subscription
from promograph.api.templates import TemplateQueries
from promograph.api.token import TokenMutations, TokenQueries
from promograph.api.webhooks.deliveries import WebhookDeliveryQueries, WebhookReplayMutations
from promograph.api.webhooks.endpoints import WebhookQueries
from promograph.api.webhooks.mutations import WebhookMutations


@strawberry.type(description="What can be asked.")
class Query(
    PromotionQueries,
    PromotionSummaryQueries,
    RewardTypeQueries,
    RedeemQueries,
    CustomerQueries,
    SegmentQueries,
    AudienceQueries,
    ChannelQueries,
    BookingQueries,
    JobQueries,
    SendPlanQueries,
    SendQueries,
    TemplateQueries,
    TokenQueries,
    EventQueries,
    ShopOrderQueries,
    ShopQueries,
    WebhookQueries,
    WebhookDeliveryQueries,
    DifferenceQueries,
):
    pass


@strawberry.type(description="What can be done. A payload with user errors changed nothing, bulk results aside.")
class Mutation(
    PromotionMutations,
    RewardTypeMutations,
    CodeMutations,
    BatchMutations,
    CodeImportMutations,
    CodeChangeMutations,
    CodeExportMutations,
    IssueMutations,
    CodeReplaceMutations,
    RedeemMutations,
    HoldMutations,
    CustomerMutations,
    SegmentMutations,
    AudienceMutations,
    CustomerImportMutations,
    BookingMutations,
    JobMutations,
    SendMutations,
    SendMessageMutations,
    TokenMutations,
    ShopOrderMutations,
    ShopMutations,
    WebhookMutations,
    WebhookReplayMutations,
    DifferenceMutations,
):
    pass


def build_schema(*, introspection: bool = True) -> Schema:
    """A schema with documents of its own; make one for each application."""
    return Schema(
        Query,
        mutation=Mutation,
        subscription=Subscription,
        documents=Documents(introspection=introspection),
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=LongListExecutor,
    )


def schema_text() -> str:
    """The schema as `schema.graphql` holds it."""
    return build_schema().as_str() + "\n"
