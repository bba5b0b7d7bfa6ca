"""A shop beside promograph: what it is set up with, and a network that can be cut."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from promograph_client import CheckoutClient

DOCUMENTS = Path(__file__).parents[2] / "docs/checkout"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **length: float) -> None:
        self.now += timedelta(**length)


class Cut(Enum):
    """Where the network is cut."""

    BEFORE = "the question does not get through"
    AFTER = "the answer is lost"


class Network(httpx2.BaseTransport):
    """The real one, until `cut` says where it is broken; `asked` counts what was sent.

    `meanwhile` is called once, while an answer is on its way.
    """

    def __init__(self) -> None:
        self._real = httpx2.HTTPTransport()
        self.cut: Cut | None = None
        self.cuts_left = 1_000
        self.asked = 0
        self.meanwhile: Callable[[], object] | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        cut = self.cut if self.cuts_left > 0 else None
        self.cuts_left -= cut is not None
        if cut is Cut.BEFORE:
            raise httpx2.ConnectError("cut")
        # The client's patience is for the cuts; a machine under load is slow, not away.
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), 300.0)
        response = self._real.handle_request(request)
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        if cut is Cut.AFTER:
            response.read()
            response.close()
            raise httpx2.ReadTimeout("cut")
        return response

    def close(self) -> None:
        self._real.close()


class Shop:
    """`base` is promograph's address; the tokens are an administrator's and a checkout's."""

    def __init__(self, base: str, clock: Clock, *, admin: str, checkout: str) -> None:
        self.base, self.clock, self.checkout = base, clock, checkout
        self._admin = httpx2.Client(headers={"Authorization": f"Bearer {admin}"}, timeout=300)
        self._numbers = count(1)

    def close(self) -> None:
        self._admin.close()

    def client(self, late: Path, network: Network | None = None, *, path: str = "", **more: Any) -> CheckoutClient:
        """Impatient, so that tests are fast."""
        options = {"patience": 0.3, "seconds_each": 30.0, "rest": 0.0, **more}
        return CheckoutClient(
            f"{self.base}{path}/graphql",
            self.checkout,
            late=late,
            clock=self.clock,
            transport=network or Network(),
            **options,
        )

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The one field of an administrator's answer."""
        sent = {"query": document, "variables": variables}
        body = self._admin.post(f"{self.base}/graphql", json=sent).raise_for_status().json()
        assert "errors" not in body, body
        (found,) = body["data"].values()
        assert not (isinstance(found, dict) and found.get("userErrors")), found
        return dict(found)

    def do(self, name: str, shown: str, /, **given: Any) -> dict[str, Any]:
        kind = {"promotionActivate": "PromotionActInput"}.get(name, f"{name[0].upper()}{name[1:]}Input")
        document = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {shown} userErrors {{ code message }} }} }}"
        return self.ask(document, input=given)

    def promotion(self, *codes: str, **given: Any) -> str:
        """An active promotion of anonymous codes; its handle."""
        handle = f"sale-{next(self._numbers)}"
        made = self.do("promotionCreate", "promotion { id }", name=handle, handle=handle, codeKind="MULTIPLE", **given)
        id_ = made["promotion"]["id"]
        self.do("codesAdd", "report { added }", promotion=id_, codes="\n".join(codes))
        self.do("promotionActivate", "promotion { status }", id=id_)
        return handle

    def percentage(self, percentage: str, *codes: str, **given: Any) -> str:
        """An active promotion that takes so much off; its handle."""
        type_ = f"off-{next(self._numbers)}"
        self.do("rewardTypeCreate", "rewardType { handle }", name=type_, handle=type_, effect="PERCENTAGE")
        reward = {"single": {"type": type_, "value": {"percentage": percentage}}}
        return self.promotion(*codes, reward=reward, **given)

    def history(self, code: str) -> Sequence[str]:
        shown = self.ask("query($code: String!) { code(text: $code) { history { kind } } }", code=code)
        return [event["kind"] for event in shown["history"] if event["kind"] != "ADDED"]

    def uses(self, handle: str) -> int:
        """Those that stand."""
        shown = "promotion(handle: $handle) { inventory { redemptions } }"
        found = self.ask(f"query($handle: String!) {{ {shown} }}", handle=handle)
        return int(found["inventory"]["redemptions"])
