"""What every part of the schema keeps: it is described, it names its rights, and it follows the conventions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from promograph.api.schema import build_schema, schema_text
from promograph.api.scopes import fields_without_scope

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    builtin = {"String", "Int", "Float", "Boolean", "ID"}
    return [kind for name, kind in schema.type_map.items() if not name.startswith("__") and name not in builtin]


def described_parts(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Each type, field, argument, input field and enum value, with its description."""
    for kind in own_types(schema):
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", field.description) for name, field in kind.fields.items())
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                yield from ((f"{kind.name}.{name}({arg})", of.description) for arg, of in field.args.items())


def root(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.query_type if name == "Query" else schema.mutation_type
    assert found is not None
    return found


def test_the_committed_schema_is_what_the_code_says() -> None:
    committed = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert committed == schema_text(), "run `just schema` and look at the difference"


def test_everything_is_described(schema: GraphQLSchema) -> None:
    parts = list(described_parts(schema))
    assert len(parts) > 200
    assert [name for name, description in parts if not (description or "").strip()] == []


def test_descriptions_are_sentences(schema: GraphQLSchema) -> None:
    ours = [(name, text) for name, text in described_parts(schema) if name not in ("Date", "DateTime", "Decimal")]
    assert [name for name, text in ours if not (text or "").rstrip().endswith((".", "`."))] == []


def test_every_field_names_its_scope() -> None:
    assert fields_without_scope(build_schema()) == []


def test_each_mutation_takes_one_input_and_has_a_payload_of_its_own(schema: GraphQLSchema) -> None:
    payloads = []
    for name, field in root(schema, "Mutation").fields.items():
        assert list(field.args) == ["input"], name
        assert str(field.args["input"].type).endswith("Input!"), name
        payload = get_named_type(field.type)
        assert payload.name == f"{name[0].upper()}{name[1:]}Payload"
        assert str(field.type) == f"{payload.name}!", name
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["userErrors"].type) == "[UserError!]!", name
        payloads.append(payload.name)
    assert len(set(payloads)) == len(payloads) > 15


def test_nothing_but_a_payload_has_user_errors_and_an_answer_of_a_question(schema: GraphQLSchema) -> None:
    holders = {
        kind.name for kind in own_types(schema) if isinstance(kind, GraphQLObjectType) and "userErrors" in kind.fields
    }
    assert {name for name in holders if not name.endswith("Payload")} == {"Validation", "CartValidation"}


FIXED_NAMES = {
    "Query": "node nodes promotion promotions promotionSummary rewardTypes code codeHistory "
    "codeValidate promotionsForCart channels tokens",
    "Mutation": "promotionCreate promotionUpdate promotionActivate promotionPause promotionEnd promotionArchive "
    "promotionDuplicate rewardTypeCreate rewardTypeUpdate rewardTypeDelete codesGenerate codesImport "
    "codesAdd codesBlock codesUnblock codesVoid batchUpdate codesExport codeIssue codesIssue codeReissue codeHold "
    "codeReplace codesReplace codeReturn holdRelease codeRedeem redemptionRollback tokenCreate tokenRevoke",
}


@pytest.mark.parametrize("kind", FIXED_NAMES)
def test_the_names_that_others_rely_on_are_there(schema: GraphQLSchema, kind: str) -> None:
    assert set(FIXED_NAMES[kind].split()) <= set(root(schema, kind).fields)


@pytest.mark.parametrize(
    ("field", "signature"),
    [
        ("node", {"id": "ID!"}),
        ("nodes", {"ids": "[ID!]!"}),
        ("promotion", {"id": "ID", "handle": "String"}),
        ("code", {"text": "String!"}),
        ("codeValidate", {"input": "CodeValidateInput!"}),
        ("tokens", {}),
    ],
)
def test_the_arguments_that_others_rely_on_are_there(
    schema: GraphQLSchema, field: str, signature: dict[str, str]
) -> None:
    found = root(schema, "Query").fields[field]
    assert {name: str(argument.type) for name, argument in found.args.items()} == signature


MUST_NOT_BE_DONE_TWICE = {
    "promotionCreate": "PromotionCreateInput",
    "promotionDuplicate": "PromotionDuplicateInput",
    "rewardTypeCreate": "RewardTypeCreateInput",
    "codesGenerate": "CodesGenerateInput",
    "codesImport": "CodesImportInput",
    "codesAdd": "CodesAddInput",
    "codeIssue": "CodeIssueInput",
    "codesIssue": "CodesIssueInput",
    "codeReissue": "CodeReissueInput",
    "codeRedeem": "CodeRedeemInput",
    "codesRedeem": "CodesRedeemInput",
    "codeHold": "CodeHoldInput",
    "redemptionRollback": "RedemptionRollbackInput",
    "customersUpsert": "CustomersUpsertInput",
    "sendCreate": "SendCreateInput",
    "codesExport": "CodesExportInput",
    "codeReplace": "CodeReplaceInput",
    "codesReplace": "CodesReplaceInput",
    "codeReturn": "CodeReturnInput",
    "segmentCreate": "SegmentCreateInput",
    "audienceCreate": "AudienceCreateInput",
    "audienceImport": "AudienceImportInput",
    "customersImport": "CustomersImportInput",
    "bookingCreate": "BookingCreateInput",
    "promotionPush": "PromotionPushInput",
    "shopReconcile": "ShopReconcileInput",
}
# Doing these again changes nothing more, or is refused; a token's text must not be kept to be shown again.
MAY_BE_REPEATED = {
    "promotionUpdate",
    "promotionActivate",
    "promotionPause",
    "promotionEnd",
    "promotionArchive",
    "rewardTypeUpdate",
    "rewardTypeDelete",
    "codesBlock",
    "codesUnblock",
    "codesVoid",
    "batchUpdate",
    "sendUpdate",
    "sendStart",
    "sendPause",
    "sendCancel",
    "sendTest",
    "messageTrigger",
    "holdRelease",
    "segmentUpdate",
    "segmentDelete",
    "audienceUpdate",
    "audienceDelete",
    "bookingRelease",
    "customerErase",
    "jobCancel",
    "batchRevert",
    "tokenCreate",
    "tokenRevoke",
    "webhookCreate",
    "webhookUpdate",
    "webhookDelete",
    "webhookSecretRotate",
    "webhookTest",
    "webhookReplay",
    "shopOrdersRetry",
}


def test_each_write_that_a_network_may_repeat_takes_a_key(schema: GraphQLSchema) -> None:
    with_key = {
        name
        for name, field in root(schema, "Mutation").fields.items()
        if "idempotencyKey" in get_named_type(field.args["input"].type).fields
    }
    assert with_key == set(MUST_NOT_BE_DONE_TWICE)
    assert with_key | MAY_BE_REPEATED == set(root(schema, "Mutation").fields)


def test_connections_follow_relay(schema: GraphQLSchema) -> None:
    connections = [kind for kind in own_types(schema) if kind.name.endswith("Connection")]
    assert len(connections) >= 3
    for kind in connections:
        assert isinstance(kind, GraphQLObjectType)
        node = kind.name.removesuffix("Connection")
        fields = {name: str(field.type) for name, field in kind.fields.items()}
        assert fields.pop("totalCount", "Int!") == "Int!"
        assert fields == {"edges": f"[{node}Edge!]!", "nodes": f"[{node}!]!", "pageInfo": "PageInfo!"}
        edge = schema.type_map[f"{node}Edge"]
        assert isinstance(edge, GraphQLObjectType)
        assert {name: str(field.type) for name, field in edge.fields.items()} == {
            "node": f"{node}!",
            "cursor": "String!",
        }


def test_each_field_that_gives_a_connection_takes_its_four_arguments(schema: GraphQLSchema) -> None:
    found = []
    for kind in own_types(schema):
        if not isinstance(kind, GraphQLObjectType):
            continue
        for name, field in kind.fields.items():
            if get_named_type(field.type).name.endswith("Connection"):
                arguments = {arg: str(of.type) for arg, of in field.args.items()}
                expected = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
                assert expected.items() <= arguments.items(), f"{kind.name}.{name}"
                found.append(f"{kind.name}.{name}")
    assert sorted(found) == [
        "Audience.members",
        "Audience.standings",
        "Promotion.batches",
        "Promotion.codes",
        "Query.audiences",
        "Query.events",
        "Query.jobs",
        "Query.promotions",
        "Query.sends",
        "Query.shopDifferences",
        "Query.shopOrders",
        "Query.webhookDeliveries",
        "Query.webhooks",
    ]


def test_objects_with_a_global_id_are_nodes(schema: GraphQLSchema) -> None:
    node = schema.type_map["Node"]
    for kind in own_types(schema):
        if isinstance(kind, GraphQLObjectType) and "id" in kind.fields:
            assert node in kind.interfaces, kind.name
            assert str(kind.fields["id"].type) == "ID!"


def test_money_is_a_decimal_with_its_currency(schema: GraphQLSchema) -> None:
    for name in ("Money", "MoneyInput"):
        kind = schema.type_map[name]
        assert isinstance(kind, GraphQLObjectType | GraphQLInputObjectType)
        assert {name: str(field.type) for name, field in kind.fields.items()} == {
            "amount": "Decimal!",
            "currency": "CurrencyCode!",
        }


def test_the_same_concept_has_the_same_type_going_in_and_coming_out(schema: GraphQLSchema) -> None:
    """So that what was read can be written back."""
    out = schema.type_map["Promotion"]
    into = schema.type_map["PromotionUpdateInput"]
    assert isinstance(out, GraphQLObjectType)
    assert isinstance(into, GraphQLInputObjectType)
    for name in ("name", "description", "codeKind", "issuePolicy", "onEmpty", "validFor", "audienceCap", "holderOnly"):
        assert get_named_type(out.fields[name].type) is get_named_type(into.fields[name].type), name
