"""What the load client asks, and how it knows a good answer.

The client imports this and little else, so that it starts at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Fault = str | None
Check = Callable[[dict[str, Any], dict[str, Any] | None, set[str]], Fault]
"""From the answer's data, the input (None: the answer comes from memory and is nobody's) and the codes seen so far."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One document. `check` says what is wrong with an answer; it adds to the codes seen what may come only once."""

    query: str
    check: Check


def _issued(data: dict[str, Any], asked: dict[str, Any] | None, seen: set[str]) -> Fault:
    payload = data["codeIssue"]
    if payload["userErrors"]:
        return f"codeIssue was refused: {payload['userErrors'][0]}"
    issuance = payload["issuance"]
    if asked is None:
        return None if issuance["text"] else "codeIssue gave no code"
    if issuance["customer"] != asked["customer"]:
        return "codeIssue answered one customer with another's code"
    return _once(issuance["text"], seen)


def _redeemed(data: dict[str, Any], asked: dict[str, Any] | None, seen: set[str]) -> Fault:
    payload = data["codeRedeem"]
    if payload["userErrors"]:
        return f"codeRedeem was refused: {payload['userErrors'][0]}"
    redemption = payload["redemption"]
    if asked is None:
        return None if redemption["text"] else "codeRedeem gave no redemption"
    if redemption["text"] != asked["code"]:
        return "codeRedeem answered with another code"
    return _once(redemption["text"], seen)


def _validated(data: dict[str, Any], asked: dict[str, Any] | None, _: set[str]) -> Fault:
    validation = data["codeValidate"]
    if validation["userErrors"] or validation["isValid"] is not True:
        return f"codeValidate said no: {validation}"
    return "codeValidate answered with another code" if asked and validation["text"] != asked["code"] else None


def _all_issued(data: dict[str, Any], asked: dict[str, Any] | None, seen: set[str]) -> Fault:
    payload = data["codesIssue"]
    if payload["userErrors"]:
        return f"codesIssue was refused: {payload['userErrors'][0]}"
    codes = payload["codes"]
    wanted = len(codes) if asked is None else len(asked["customers"])
    before = len(seen)
    seen.update(codes)
    return None if len(codes) == wanted == len(seen) - before else "codesIssue did not give each customer a code"


def _upserted(data: dict[str, Any], asked: dict[str, Any] | None, _: set[str]) -> Fault:
    payload = data["customersUpsert"]
    if payload["userErrors"]:
        return f"customersUpsert was refused: {payload['userErrors'][0]}"
    told = payload["created"] + payload["updated"]
    return None if asked is None or told == len(asked["customers"]) else f"customersUpsert took {told} customers"


def _triggered(data: dict[str, Any], asked: dict[str, Any] | None, seen: set[str]) -> Fault:
    payload = data["messageTrigger"]
    if payload["userErrors"] or asked is None:
        return f"messageTrigger was refused: {payload['userErrors'][:1]}"
    wanted = f"{asked['customer']} {asked['messageKey']}"
    message = f"{wanted} {payload['message']['key']}"
    if wanted in seen and message not in seen:
        return f"messageTrigger made a second message of {wanted}"
    seen |= {wanted, message}
    return None


def _counted(data: dict[str, Any], _: dict[str, Any] | None, __: set[str]) -> Fault:
    inventory = data["promotion"]["inventory"]
    parts = inventory["available"] + inventory["issued"] + inventory["blocked"] + inventory["void"]
    return None if inventory["total"] == parts > 0 else f"the inventory does not add up: {inventory}"


def _paged(data: dict[str, Any], asked: Any, __: set[str]) -> Fault:
    nodes = data["promotions"]["nodes"]
    whole = all(node["handle"] and node["inventory"]["total"] >= 0 for node in nodes)
    return None if whole and nodes and len(nodes) in (asked or len(nodes), len(nodes)) else f"not a page: {nodes[:1]}"


def _anything(_: dict[str, Any], __: dict[str, Any] | None, ___: set[str]) -> Fault:
    return None


def _once(text: str, seen: set[str]) -> Fault:
    if text in seen:
        return f"the code {text} was given twice"
    seen.add(text)
    return None


ISSUE = "codeIssue"
REDEEM = "codeRedeem"
VALIDATE = "codeValidate"
ISSUE_MANY = "codesIssue"
UPSERT = "customersUpsert"
TRIGGER = "messageTrigger"
INVENTORY = "inventory"
PAGE = "promotions"
NOTHING = "nothing"

OPERATIONS = {
    ISSUE: Operation(
        "mutation Issue($input: CodeIssueInput!) { codeIssue(input: $input) {"
        " issuance { id text customer expiresAt } userErrors { code field message } } }",
        _issued,
    ),
    REDEEM: Operation(
        "mutation Redeem($input: CodeRedeemInput!) { codeRedeem(input: $input) {"
        " redemption { id text redeemedAt } userErrors { code field message data } } }",
        _redeemed,
    ),
    VALIDATE: Operation(
        "query Validate($input: CodeValidateInput!) { codeValidate(input: $input) {"
        " isValid text promotionHandle usesLeft expiresAt userErrors { code field message } } }",
        _validated,
    ),
    ISSUE_MANY: Operation(
        "mutation IssueMany($input: CodesIssueInput!) { codesIssue(input: $input) {"
        " codes userErrors { code field message } } }",
        _all_issued,
    ),
    UPSERT: Operation(
        "mutation Upsert($input: CustomersUpsertInput!) { customersUpsert(input: $input) {"
        " created updated userErrors { code field message } } }",
        _upserted,
    ),
    TRIGGER: Operation(
        "mutation Trigger($input: MessageTriggerInput!) { messageTrigger(input: $input) {"
        " message { key status } replayed userErrors { code field message } } }",
        _triggered,
    ),
    INVENTORY: Operation(
        "query Inventory($input: String!) { promotion(handle: $input) {"
        " inventory { total available issued redeemed blocked void fallbackActive } } }",
        _counted,
    ),
    PAGE: Operation(
        "query Page($input: Int!) { promotions(first: $input) { nodes { id handle name status codeKind createdAt"
        " inventory { total available issued redeemed } } pageInfo { hasNextPage endCursor } } }",
        _paged,
    ),
    NOTHING: Operation("{ nothing }", _anything),
}
