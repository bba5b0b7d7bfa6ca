"""A client of the whole application in one process, and what tests ask it most often."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import count
from typing import Any

import httpx2
from graphql import GraphQLSchema

from promograph.api.schema import build_schema
from promograph.domain.access import Scope
from promograph.services.app import Services

from .clocks import SetClock

ADMIN, READER, MARKETER, ISSUER, CHECKOUT = "admin", "reader", "marketer", "issuer", "checkout"
PEOPLE, SENDER = "people", "sender"
SCOPES = {
    ADMIN: Scope.ADMIN,
    READER: Scope.INVENTORY_READ,
    MARKETER: Scope.PROMOTIONS_WRITE,
    ISSUER: Scope.CODES_ISSUE,
    CHECKOUT: Scope.CODES_REDEEM,
    PEOPLE: Scope.CUSTOMERS_WRITE,
    SENDER: Scope.SENDS_WRITE,
}
"""A token each, by the name under which tests ask for it; None is a caller without one."""

ERRORS = "userErrors { code field message data }"
PROMOTION = "id handle name status endReason stopRedeeming codeKind"
ISSUANCE = "id text kind promotionHandle customer issuedAt expiresAt channel send purpose"
_REPORT = "report { read added repeated alreadyHere alreadyElsewhere unassigned bad headerSkipped notes "
_REPORT += "badRows { row shown why } repeatedRows { row shown why } }"
_FIELDS = {
    "promotion": f"promotion {{ {PROMOTION} }}",
    "rewardTypeCreate": "rewardType { handle name effect createdAt updatedAt }",
    "rewardTypeUpdate": "rewardType { handle name effect createdAt updatedAt }",
    "rewardTypeDelete": "rewardType { handle name effect createdAt updatedAt }",
    "codesGenerate": "odds batch { id source channel size odds createdAt }",
    "codesImport": f"job {{ id status }} batch {{ id source channel size createdAt }} {_REPORT}",
    "codesAdd": f"batch {{ id source channel size createdAt }} {_REPORT}",
    "customerErase": "erased",
    "codesBlock": "changed",
    "codesUnblock": "changed",
    "codesVoid": "changed",
    "batchUpdate": "changed batch { id }",
    "codesExport": "job { id }",
    "promotionPush": "job { id }",
    "shopReconcile": "job { id }",
    "codeReplace": f"replayed issuance {{ {ISSUANCE} }}",
    "codesReplace": f"replaced results {{ code issuance {{ {ISSUANCE} }} error {{ code field }} }}",
    "codeReturn": "code",
    "codeIssue": f"replayed issuance {{ {ISSUANCE} }}",
    "codeReissue": f"replayed issuance {{ {ISSUANCE} }}",
    "codesIssue": f"issued codes results {{ customer replayed issuance {{ {ISSUANCE} }} error {{ code field }} }}",
    "codeRedeem": "replayed redemption { id text promotionHandle customer redeemedAt order channel "
    "orderAmount { amount currency } discount { amount currency } }",
    "tokenCreate": "text token { id name scopes createdAt revokedAt }",
    "webhookCreate": "secret webhook { id }",
    "webhookUpdate": "webhook { id }",
    "webhookDelete": "webhook { id }",
    "webhookSecretRotate": "secret webhook { id }",
    "webhookTest": "webhook { id }",
    "webhookReplay": "replayed",
    "tokenRevoke": "token { id name scopes createdAt revokedAt }",
}
INVENTORY = (
    "total available booked issued blocked void redeemed redemptions customers fallbackIssued fallbackActive "
    "lowStock runsOutAt"
)


@cache
def schema() -> GraphQLSchema:
    return build_schema()._schema


class Api:
    """Asks over HTTP. No answer may be a fault of the server, whatever is asked: `post` looks at each of them."""

    def __init__(self, client: httpx2.AsyncClient, services: Services, clock: SetClock, tokens: Mapping[str, str]):
        self.client = client
        self.services = services
        self.clock = clock
        self.tokens = tokens
        self._numbers = count(1)

    async def post(
        self, token: str | None = ADMIN, *, extra_headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx2.Response:
        """Any request; `token` is one of `SCOPES`, another token's own text, or None."""
        answer = await self.client.post("/graphql", headers=self.headers(token) | dict(extra_headers or {}), **request)
        assert answer.status_code < 500, answer.text
        assert "Internal error" not in answer.text
        assert '"INTERNAL"' not in answer.text
        return answer

    async def post_text(self, text: str, *, token: str | None = ADMIN) -> httpx2.Response:
        """A body that is JSON, or is meant to be."""
        headers = {"Content-Type": "application/json"}
        return await self.post(token, content=text.encode(), extra_headers=headers)

    def headers(self, token: str | None) -> dict[str, str]:
        return {} if token is None else {"Authorization": f"Bearer {self.tokens.get(token, token)}"}

    async def whole(self, query: str, variables: Any = None, *, token: str | None = ADMIN) -> dict[str, Any]:
        """The answer with its errors."""
        answer = await self.post(token, json={"query": query, "variables": variables})
        body: dict[str, Any] = answer.json()
        return body

    async def ask(self, query: str, variables: Any = None, *, token: str | None = ADMIN) -> dict[str, Any]:
        """The data of an answer that must have no errors."""
        body = await self.whole(query, variables, token=token)
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    async def errors(self, query: str, variables: Any = None, *, token: str | None = ADMIN) -> list[tuple[str, Any]]:
        """The code and the field of each error of an answer that must have some."""
        body = await self.whole(query, variables, token=token)
        found = [error.get("extensions", {}) for error in body["errors"]]
        return [(extensions.get("code"), extensions.get("field")) for extensions in found]

    async def do(self, name: str, /, *, token: str | None = ADMIN, fields: str = "", **input: Any) -> dict[str, Any]:
        """The payload of a mutation."""
        data = await self.ask(mutation(name, fields), {"input": input}, token=token)
        payload: dict[str, Any] = data[name]
        return payload

    async def done(self, name: str, /, *, token: str | None = ADMIN, fields: str = "", **input: Any) -> dict[str, Any]:
        """The payload of a mutation that must have worked."""
        payload = await self.do(name, token=token, fields=fields, **input)
        assert payload["userErrors"] == []
        return payload

    async def no(self, name: str, /, *, token: str | None = ADMIN, **input: Any) -> list[tuple[str, str | None]]:
        """The code and the path of each user error of a mutation that must have some, and nothing else to show."""
        payload = await self.do(name, token=token, **input)
        assert payload["userErrors"]
        assert not any(value for key, value in payload.items() if key not in ("userErrors", "replayed"))
        return problems(payload)

    async def draft(self, **input: Any) -> dict[str, Any]:
        """A new promotion; the name says which, and the handle follows from it."""
        input.setdefault("name", f"Promotion {next(self._numbers)}")
        made: dict[str, Any] = (await self.done("promotionCreate", **input))["promotion"]
        return made

    async def promotion(self, *, codes: int | Iterable[str] = 0, **input: Any) -> dict[str, Any]:
        """An active promotion with so many codes (or these)."""
        made = await self.draft(**input)
        texts = list(codes) if not isinstance(codes, int) else [f"{made['handle']}-{n}" for n in range(1, codes + 1)]
        if texts:
            await self.done("codesAdd", promotion=made["id"], codes="\n".join(texts))
        active: dict[str, Any] = (await self.done("promotionActivate", id=made["id"]))["promotion"]
        return active

    async def issue(self, promotion: Mapping[str, Any], customer: str, **more: Any) -> str:
        """The text of the code that the customer gets."""
        payload = await self.done("codeIssue", promotion=promotion["handle"], customer=customer, **more)
        text: str = payload["issuance"]["text"]
        return text

    async def numbers(self, promotion: Mapping[str, Any]) -> dict[str, Any]:
        """The promotion's inventory."""
        query = f"query ($id: ID!) {{ promotion(id: $id) {{ inventory {{ {INVENTORY} }} }} }}"
        data = await self.ask(query, {"id": promotion["id"]})
        inventory: dict[str, Any] = data["promotion"]["inventory"]
        return inventory

    async def state(self, promotion: Mapping[str, Any]) -> dict[str, Any]:
        """All that can be read of a promotion without its lists, to see that nothing changed."""
        data = await self.ask(f"query ($id: ID!) {{ promotion(id: $id) {{ {WHOLE_PROMOTION} }} }}", promotion)
        found: dict[str, Any] = data["promotion"]
        return found

    async def validate(self, code: str, customer: str | None = None, *, token: str | None = ADMIN) -> dict[str, Any]:
        query = f"""query ($input: CodeValidateInput!) {{ codeValidate(input: $input) {{
            isValid text promotionHandle promotionName expiresAt usesLeft {ERRORS} }} }}"""
        data = await self.ask(query, {"input": {"code": code, "customer": customer}}, token=token)
        answer: dict[str, Any] = data["codeValidate"]
        return answer

    async def import_file(
        self, content: bytes, promotion: str, *, name: str = "codes.csv", **input: Any
    ) -> dict[str, Any]:
        """The payload of codesImport."""
        variables = {"input": {"promotion": promotion, "file": None, **input}}
        operations = json.dumps({"query": mutation("codesImport", ""), "variables": variables})
        parts = {"operations": operations, "map": '{"0": ["variables.input.file"]}'}
        answer = await self.post(ADMIN, data=parts, files={"0": (name, content, "text/csv")})
        body = answer.json()
        assert "errors" not in body, body
        payload: dict[str, Any] = body["data"]["codesImport"]
        return payload


def mutation(name: str, fields: str) -> str:
    """The text of a mutation with one variable, `input`."""
    root = schema().mutation_type
    assert root is not None
    kind = root.fields[name].args["input"].type
    fields = fields or _FIELDS.get(name) or _FIELDS["promotion"]
    return f"mutation ($input: {kind}) {{ {name}(input: $input) {{ {fields} {ERRORS} }} }}"


def problems(payload: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The code and the path, with dots between, of each user error."""
    return [(error["code"], error["field"] and ".".join(error["field"])) for error in payload["userErrors"]]


REWARD = """kind text effect type { handle } maximum { amount currency }
    value { percentage amount { amount currency } fixedPrice { amount currency } freeShipping gift points }
    lines { skus categories brands attributes { name values } }"""
BUDGET = " ".join(f"{part} {{ amount currency }}" for part in ("total", "spent", "held", "left"))
WHOLE_PROMOTION = f"""id handle name description properties {{ name value }} status endReason stopRedeeming
    reward {{ {REWARD} }} condition {{ asInput }} budget {{ {BUDGET} }} usesPerPeriod {{ uses period }} redemptionCap
    lowStockThreshold
    codeRequired combinable priority codeKind issuePolicy onEmpty codeFormat {{ prefix suffix length alphabet pattern }}
    window {{ timeZone startsAt endsAt }} validFor audienceCap usesPerCode usesPerCustomer holderOnly
    createdAt updatedAt singleCode fallbackCode inventory {{ {INVENTORY} }}"""
