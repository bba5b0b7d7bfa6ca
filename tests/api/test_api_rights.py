"""Who may do what: each scope with each field of the roots, and what a front-end can reach at all."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import (
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    ObjectTypeDefinitionNode,
    get_named_type,
    is_required_argument,
    is_required_input_field,
    parse,
)

from promograph.domain.access import Scope

from .asking import ADMIN, CHECKOUT, ISSUER, MARKETER, PEOPLE, READER, SCOPES, SENDER, Api, schema

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent

EVERYBODY = {None, *SCOPES}
MAY: dict[str, set[str | None]] = {
    "node": EVERYBODY,
    "nodes": EVERYBODY,
    "promotion": {READER, MARKETER},
    "promotions": {READER, MARKETER},
    "promotionSummary": {MARKETER},
    "rewardTypes": {READER, MARKETER},
    "code": {MARKETER},
    "codeHistory": {MARKETER},
    "codeValidate": {CHECKOUT},
    "codesValidate": {CHECKOUT},
    "promotionsForCart": {CHECKOUT},
    "customer": {PEOPLE},
    "attributes": {PEOPLE, SENDER, MARKETER},
    "segments": {PEOPLE, SENDER, MARKETER},
    "segmentPreview": {PEOPLE},
    "audiences": {PEOPLE, SENDER, MARKETER},
    "channels": {SENDER, MARKETER},
    "bookings": {SENDER, MARKETER},
    "jobs": {MARKETER, PEOPLE},
    "sendPlan": {SENDER, MARKETER},
    "send": {SENDER},
    "sends": {SENDER},
    "sendProgress": {SENDER},
    "sendCreate": {SENDER},
    "sendUpdate": {SENDER},
    "sendStart": {SENDER},
    "sendPause": {SENDER},
    "sendCancel": {SENDER},
    "sendTest": {SENDER},
    "messageTrigger": {SENDER},
    "templateCheck": {SENDER, MARKETER},
    "templatePreview": {SENDER},
    "shops": {MARKETER},
    "shopDifferences": {MARKETER},
    "tokens": set(),
    "events": set(),
    "webhooks": set(),
    "webhookDeliveries": set(),
    "shopOrders": {MARKETER},
    "shopOrdersRetry": {MARKETER},
    "inventoryChanged": {READER, MARKETER},
    "jobProgress": {MARKETER, PEOPLE},
    "promotionCreate": {MARKETER},
    "promotionUpdate": {MARKETER},
    "promotionActivate": {MARKETER},
    "promotionPause": {MARKETER},
    "promotionEnd": {MARKETER},
    "promotionArchive": {MARKETER},
    "promotionDuplicate": {MARKETER},
    "promotionPush": {MARKETER},
    "shopReconcile": {MARKETER},
    "rewardTypeCreate": {MARKETER},
    "rewardTypeUpdate": {MARKETER},
    "rewardTypeDelete": {MARKETER},
    "codesGenerate": {MARKETER},
    "codesImport": {MARKETER},
    "codesAdd": {MARKETER},
    "batchRevert": {MARKETER},
    "codesBlock": {MARKETER},
    "codesUnblock": {MARKETER},
    "codesVoid": {MARKETER},
    "batchUpdate": {MARKETER},
    "codesExport": {MARKETER},
    "codeReplace": {ISSUER, MARKETER},
    "codesReplace": {ISSUER, MARKETER},
    "codeReturn": {ISSUER, MARKETER},
    "codeIssue": {ISSUER},
    "codesIssue": {ISSUER},
    "codeReissue": {ISSUER},
    "codeRedeem": {CHECKOUT},
    "codesRedeem": {CHECKOUT},
    "codeHold": {CHECKOUT},
    "holdRelease": {CHECKOUT},
    "redemptionRollback": {CHECKOUT},
    "customersUpsert": {PEOPLE},
    "segmentCreate": {PEOPLE},
    "segmentUpdate": {PEOPLE},
    "segmentDelete": {PEOPLE},
    "audienceCreate": {PEOPLE},
    "audienceImport": {PEOPLE},
    "customersImport": {PEOPLE},
    "audienceUpdate": {PEOPLE},
    "audienceDelete": {PEOPLE},
    "bookingCreate": {SENDER, MARKETER},
    "bookingRelease": {SENDER, MARKETER},
    "customerErase": {PEOPLE},
    "jobCancel": {MARKETER, PEOPLE},
    "tokenCreate": set(),
    "tokenRevoke": set(),
    "webhookCreate": set(),
    "webhookUpdate": set(),
    "webhookDelete": set(),
    "webhookSecretRotate": set(),
    "webhookTest": set(),
    "webhookReplay": set(),
}
"""Who may ask for a field, besides `admin`, who may everything."""

Roots = dict[str, tuple[str, GraphQLField]]


def roots() -> Roots:
    core = schema()
    kinds = {"query": core.query_type, "mutation": core.mutation_type, "subscription": core.subscription_type}
    return {name: (kind, field) for kind, root in kinds.items() if root for name, field in root.fields.items()}


def least(kind: GraphQLInputType) -> Any:
    """The least that is a value of this input type."""
    if isinstance(kind, GraphQLNonNull):
        return least(kind.of_type)
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLInputObjectType):
        return {name: least(field.type) for name, field in kind.fields.items() if is_required_input_field(field)}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    assert isinstance(kind, GraphQLScalarType)
    return {"Int": 0, "Boolean": False, "Decimal": "0", "CurrencyCode": "EUR"}.get(kind.name, "x")


def least_request(name: str) -> dict[str, Any]:
    """A request for nothing but the root field: valid, and good for nothing."""
    operation, field = roots()[name]
    needed = {name: argument for name, argument in field.args.items() if is_required_argument(argument)}
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in needed.items())
    given = ", ".join(f"{name}: ${name}" for name in needed)
    text = (
        f"{operation} {f'({declared})' if needed else ''} {{ {name}{f'({given})' if needed else ''} {{ __typename }} }}"
    )
    return {"query": text, "variables": {name: least(argument.type) for name, argument in needed.items()}}


async def least_answer(api: Api, caller: str | None, name: str) -> Any:
    """The answer to that; a subscription's is in its first event."""
    if roots()[name][0] != "subscription":
        return (await api.post(caller, json=least_request(name))).json()
    answer = await api.post(caller, json=least_request(name), extra_headers={"Accept": "text/event-stream"})
    return json.loads(next(line for line in answer.text.splitlines() if line.startswith("data: {"))[5:])


def test_the_table_knows_every_field() -> None:
    assert set(MAY) == set(roots())


@pytest.mark.parametrize("caller", [None, *SCOPES], ids=str)
async def test_a_caller_may_ask_what_the_table_says_and_nothing_else(api: Api, caller: str | None) -> None:
    for name, may in MAY.items():
        body = await least_answer(api, caller, name)
        codes = {error.get("extensions", {}).get("code") for error in body.get("errors", [])}
        if caller == ADMIN or caller in may:
            assert not codes & {"FORBIDDEN", "UNAUTHENTICATED"}, name
        else:
            assert codes == {"UNAUTHENTICATED" if caller is None else "FORBIDDEN"}, name
            assert "data" not in body


async def test_who_may_not_is_told_what_is_missing(api: Api) -> None:
    answer = await api.post(
        READER,
        json={"query": '{ code(text: "x") { id } }'},
    )
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "missing": ["promotions:write"]}
    assert "promotions:write" in error["message"]


async def test_one_forbidden_field_keeps_the_whole_document_from_running(api: Api) -> None:
    made = await api.promotion(codes=1)
    body = await api.whole(
        """mutation ($handle: String!) {
            codeIssue(input: { promotion: $handle, customer: "ann" }) { replayed }
            codesBlock(input: { codes: [] }) { changed } }""",
        made,
        token=ISSUER,
    )
    assert "data" not in body
    assert (await api.numbers(made))["issued"] == 0


# Over HTTP


@pytest.mark.parametrize(
    "header",
    [
        "Bearer pmg_unknown",
        "Bearer ",
        "Bearer",
        "Basic YTpi",
        "pmg_x",
        "",
        "Bearer a b",
        "Bearer " + "x" * 5000,
        "Bearer \t",
        "bearer é".encode().decode("latin-1"),
    ],
    ids=lambda header: header[:20],
)
@pytest.mark.parametrize("query", ['{ node(id: "x") { id } }', "{ promotions { totalCount } }", "{ nonsense"])
async def test_an_unknown_token_is_401_whatever_is_asked(api: Api, header: str, query: str) -> None:
    answer = await api.client.post(
        "/graphql", json={"query": query}, headers={b"Authorization": header.encode("latin-1")}
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_revoked_token_is_401(api: Api) -> None:
    made = await api.done("tokenCreate", name="for a while", scopes=["INVENTORY_READ"])
    query = {"query": "{ promotions { totalCount } }"}
    assert "errors" not in (await api.post(made["text"], json=query)).json()
    await api.done("tokenRevoke", name="for a while")
    assert (await api.post(made["text"], json=query)).status_code == 401


async def test_the_scheme_is_read_in_any_letter_case(api: Api) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {api.tokens[READER]}"}
        answer = await api.client.post("/graphql", json={"query": "{ promotions { totalCount } }"}, headers=headers)
        assert "errors" not in answer.json()


async def test_the_status_says_what_is_missing_to_who_wants_to_know(api: Api) -> None:
    for token, status in ((None, 401), (READER, 403), (MARKETER, 200)):
        headers = api.headers(token) | {"Accept": "application/graphql-response+json"}
        answer = await api.client.post("/graphql", json={"query": '{ code(text: "x") { id } }'}, headers=headers)
        assert answer.status_code == status


async def test_a_get_needs_the_same_rights_and_changes_nothing(api: Api) -> None:
    async def get(query: str, token: str | None) -> httpx2.Response:
        return await api.client.get("/graphql", params={"query": query}, headers=api.headers(token))

    assert (await get("{ promotions { totalCount } }", READER)).json()["data"]
    assert "data" not in (await get("{ promotions { totalCount } }", None)).json()
    assert (await get("mutation { codesBlock(input: { codes: [] }) { changed } }", ADMIN)).status_code == 405


# What a token can reach


def reachable(scope: Scope) -> set[str]:
    """Each `Type.field` that a token with this scope alone can read, from the roots on."""
    found: set[str] = set()
    core = schema()
    waiting: list[GraphQLObjectType | GraphQLInterfaceType] = [
        root for root in (core.query_type, core.mutation_type, core.subscription_type) if root
    ]
    while waiting:
        kind = waiting.pop()
        for name, field in kind.fields.items():
            place = f"{kind.name}.{name}"
            if place in found or scope not in needs()[place]:
                continue
            found.add(place)
            below = get_named_type(field.type)
            if isinstance(below, GraphQLInterfaceType):
                waiting += [below, *schema().get_implementations(below).objects]
            elif isinstance(below, GraphQLObjectType):
                waiting.append(below)
    return found


@cache
def needs() -> dict[str, frozenset[Scope]]:
    """Of each `Type.field`, which scopes open it, read from the schema as clients see it."""
    found = {}
    for definition in parse((ROOT / "schema.graphql").read_text(encoding="utf-8")).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            for field in definition.fields or ():
                listed = _listed(field) if _listed(field) is not None else _listed(definition)
                assert listed is not None, f"{definition.name.value}.{field.name.value} names no scope"
                found[f"{definition.name.value}.{field.name.value}"] = listed or frozenset(Scope)
    return found


def _listed(node: FieldDefinitionNode | ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode) -> Any:
    """The scopes in `@needs(any: […])`; None without it, empty where everybody may."""
    for directive in node.directives or ():
        if directive.name.value == "needs":
            (argument,) = directive.arguments or ()
            value = argument.value
            assert isinstance(value, ListValueNode)
            return frozenset(Scope[each.value] for each in value.values if isinstance(each, EnumValueNode))
    return None


def texts_in(fields: set[str]) -> set[str]:
    """Those of them that are texts or ids, or hold anything (JSON)."""
    found = set()
    for place in fields:
        kind, _, name = place.partition(".")
        holder = schema().type_map[kind]
        assert isinstance(holder, GraphQLObjectType | GraphQLInterfaceType)
        if get_named_type(holder.fields[name].type).name in ("String", "ID", "JSON"):
            found.add(place)
    return found


OF_EVERYBODY = {
    "Node.id", "Promotion.id", "Code.id", "Batch.id", "Token.id", "Issuance.id", "Redemption.id", "Segment.id",
    "Customer.id", "Audience.id", "Booking.id",
    "Job.id", "Event.id", "Send.id", "ShopOrder.id", "Webhook.id", "WebhookDelivery.id",
}  # fmt: skip


def test_a_front_end_reaches_no_code_and_nobody() -> None:
    """Whoever adds a text that a front-end can read decides here that it is neither a code nor a person."""
    fields = reachable(Scope.INVENTORY_READ)
    assert texts_in(fields) == OF_EVERYBODY | {
        "Promotion.handle",
        "Promotion.name",
        "Promotion.description",
        "Property.name",
        "Property.value",
        "Window.timeZone",
        "CodeFormat.prefix",
        "CodeFormat.suffix",
        "CodeFormat.alphabet",
        "CodeFormat.pattern",
        "Reward.text",
        "RewardValue.gift",
        "RewardType.handle",
        "RewardType.name",
        "LineFilter.skus",
        "LineFilter.categories",
        "LineFilter.brands",
        "LineFilterAttribute.name",
        "LineFilterAttribute.values",
        "Condition.text",
        "Condition.asInput",
        "Condition.segment",
        "Condition.holds",
        "Condition.redeemed",
        "Condition.salesChannel",
        "AttributeCondition.name",
        "MovingDay.timeZone",
        "Value.text",
        "Value.texts",
        "IssuedCondition.promotion",
        "HoursCondition.start",
        "HoursCondition.end",
        "PromotionEdge.cursor",
        "PageInfo.startCursor",
        "PageInfo.endCursor",
    }
    private = ("Code.", "Issuance.", "Redemption.", "Batch.", "Token.")
    assert not {place for place in fields if place.startswith(private)} - OF_EVERYBODY
    assert not {place for place in fields if place.startswith("Mutation.")}


def test_a_checkout_lists_nothing() -> None:
    fields = reachable(Scope.CODES_REDEEM)
    assert {place for place in fields if place.startswith(("Query.", "Mutation."))} == {
        "Query.node",
        "Query.nodes",
        "Query.codeValidate",
        "Query.codesValidate",
        "Query.promotionsForCart",
        "Mutation.codeRedeem",
        "Mutation.codesRedeem",
        "Mutation.codeHold",
        "Mutation.holdRelease",
        "Mutation.redemptionRollback",
    }
    lists = set()
    for place in fields:
        kind, _, name = place.partition(".")
        holder = schema().type_map[kind]
        assert isinstance(holder, GraphQLObjectType | GraphQLInterfaceType)
        if "[" in str(holder.fields[name].type):
            lists.add(place)
    assert {place for place in lists if not place.endswith(".userErrors")} == {
        "Query.nodes",
        "UserError.field",
        # Of the cart that it sends along, or of a redemption that it has the id of.
        "Query.promotionsForCart",
        "CartValidation.results",
        "CodesRedeemPayload.redemptions",
        "Discount.lines",
        "Redemption.rollbacks",
    }
    assert not {place for place in fields if place.startswith(("Promotion.", "Code.", "Issuance."))} - OF_EVERYBODY


def test_a_channel_reaches_what_it_issues_and_no_promotion() -> None:
    fields = reachable(Scope.CODES_ISSUE)
    assert not {place for place in fields if place.startswith(("Promotion.", "Inventory.", "Code."))} - OF_EVERYBODY
    assert {place for place in fields if place.startswith("Mutation.")} == {
        "Mutation.codeIssue",
        "Mutation.codesIssue",
        "Mutation.codeReplace",
        "Mutation.codesReplace",
        "Mutation.codeReturn",
        "Mutation.codeReissue",
    }


@pytest.mark.parametrize(
    ("scope", "out_of_reach"),
    [
        (Scope.CUSTOMERS_WRITE, ("Promotion.", "Code.", "Batch.", "Token.")),
        (Scope.SENDS_WRITE, ("Promotion.", "Code.", "Batch.", "Token.", "Customer.", "Issuance.", "Redemption.")),
    ],
)
def test_who_cares_for_people_reaches_no_codes(scope: Scope, out_of_reach: tuple[str, ...]) -> None:
    """And who sends reaches segments, and nobody in particular."""
    fields = reachable(scope)
    assert "Segment.name" in fields
    assert not {place for place in fields if place.startswith(out_of_reach)} - OF_EVERYBODY


FORBIDDEN_TO_A_FRONT_END = [
    'promotion(handle: "x") { singleCode }',
    'promotion(handle: "x") { fallbackCode }',
    'promotion(handle: "x") { codes { nodes { text } } }',
    'promotion(handle: "x") { codes { pageInfo { endCursor } } }',
    'promotion(handle: "x") { batches { nodes { id } } }',
    "promotions { nodes { codes(first: 1) { nodes { issuances { customer } } } } }",
    "promotions { edges { node { ... on Promotion { singleCode } } } }",
    "promotions { nodes { ... on Node { ... on Promotion { fallbackCode } } } }",
    'node(id: "x") { ... on Code { text } }',
    'node(id: "x") { ... on Issuance { customer } }',
    'node(id: "x") { ... on Redemption { customer } }',
    "nodes(ids: []) { ... on Code { redemptions { order } } }",
    'code(text: "x") { __typename }',
    "tokens { name }",
    "promotions { nodes { name singleCode @skip(if: true) } }",
    "promotions { nodes { ...Hidden } } } fragment Hidden on Promotion { a: singleCode",
]


@pytest.mark.parametrize("selection", FORBIDDEN_TO_A_FRONT_END)
async def test_a_front_end_is_refused_codes_and_people_wherever_it_looks(api: Api, selection: str) -> None:
    query = f"{{ {selection} }}"
    body = await api.whole(query, token=READER)
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
