"""A client with many connections, and what the tests ask with it."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from .commands import PATIENCE_SECONDS
from .servers import Server

SENTENCE = re.compile(r"[A-Z][^\n]{10,300}\.")

_INPUTS = {"promotionActivate": "PromotionActInput"}


class Gone(Exception):
    """The connection broke before the answer was complete: what was asked may have been done or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the JSON that came with it."""

    status: int
    body: Any

    @property
    def errors(self) -> list[Any]:
        return list(self.body.get("errors", ()))

    def check_unavailable(self) -> None:
        """The store is away, and the caller is told so in a sentence; a load balancer by the status."""
        assert self.errors, self
        assert self.status == (503 if self.body.get("data") is None else 200), self
        for error in self.errors:
            assert error["extensions"]["code"] == "UNAVAILABLE", self
            assert SENTENCE.fullmatch(error["message"]), self


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Client:
    """Asks one server over connections that are kept; as many questions at once as there are callers."""

    def __init__(self, base: str, token: str) -> None:
        address = urlsplit(base)
        self._host, self._port = str(address.hostname), address.port
        self._head = f"Host: {address.netloc}\r\nAuthorization: Bearer {token}\r\n"
        self._idle: list[Stream] = []

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, writer in self._idle:
            writer.close()

    async def mutate(self, name: str, shown: str, /, **given: Any) -> Any:
        """The payload of a mutation that is to be answered with data."""
        answer = await self.try_to_mutate(name, shown, **given)
        assert answer.status == 200 and not answer.errors, answer
        return answer.body["data"][name]

    async def try_to_mutate(self, name: str, shown: str, /, **given: Any) -> Answer:
        kind = _INPUTS.get(name, f"{name[0].upper()}{name[1:]}Input")
        document = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {shown} }} }}"
        return await self.ask(document, {"input": given})

    async def ask(self, document: str, variables: dict[str, Any]) -> Answer:
        body = json.dumps({"query": document, "variables": variables}).encode()
        return await self.post(body, "application/json")

    async def import_codes(self, promotion: str, file: bytes, *, shown: str, **given: Any) -> Answer:
        """`codesImport` of a CSV file, as the multipart request specification has it."""
        document = f"mutation($input: CodesImportInput!) {{ codesImport(input: $input) {{ {shown} }} }}"
        asked = {"query": document, "variables": {"input": {"promotion": promotion, "file": None, **given}}}
        parts = {"operations": json.dumps(asked), "map": json.dumps({"0": ["variables.input.file"]})}
        body = b"".join(
            f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{part}\r\n'.encode()
            for name, part in parts.items()
        )
        body += b'--X\r\nContent-Disposition: form-data; name="0"; filename="codes.csv"\r\n\r\n' + file
        return await self.post(body + b"\r\n--X--\r\n", "multipart/form-data; boundary=X")

    async def post(self, body: bytes, kind: str) -> Answer:
        """Raises Gone when the server goes away meanwhile."""
        try:
            reader, writer = await self._stream()
        except OSError as failure:
            raise Gone from failure
        head = f"POST /graphql HTTP/1.1\r\n{self._head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        # Asked of uploads by promograph, so that no page of another site can send them.
        head += "GraphQL-Require-Preflight: 1\r\n\r\n"
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            answer, stays = await _answer(reader)
        except (OSError, EOFError) as failure:
            writer.close()
            raise Gone from failure
        except BaseException:
            writer.close()
            raise
        if stays:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return answer

    async def _stream(self) -> Stream:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port, limit=2**24)

    async def promotion(self, handle: str, codes: Sequence[str] = (), **given: Any) -> str:
        """An active promotion with these codes; its id."""
        made = await self.mutate(
            "promotionCreate", "promotion { id } userErrors { message }", name=handle, handle=handle, **given
        )
        assert not made["userErrors"], made
        id_: str = made["promotion"]["id"]
        if codes:
            added = await self.mutate(
                "codesAdd", "report { added } userErrors { message }", promotion=id_, codes="\n".join(codes)
            )
            assert added["report"]["added"] == len(codes), added
        active = await self.mutate("promotionActivate", "userErrors { message }", id=id_)
        assert not active["userErrors"], active
        return id_

    async def look_at(self, handle: str) -> Any:
        """Status and inventory of a promotion."""
        answer = await self.ask(
            "query($handle: String) { promotion(handle: $handle) { id status endReason "
            "inventory { total available issued redeemed redemptions customers blocked } } }",
            {"handle": handle},
        )
        return answer.body["data"]["promotion"]


async def _answer(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """An answer, and whether the connection stays open after it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(fields["content-length"]))
    return Answer(int(head[0].split()[1]), json.loads(body)), fields.get("connection") != "close"


def tell(server: Server, body: bytes, headers: Mapping[str, str]) -> int:
    """Send it what a shop sends; the status of the answer. OSError where there is none, or half of one."""
    address = urlsplit(server.base)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", "/channels/ecommerce/events", body, dict(headers))
        return connection.getresponse().status
    except HTTPException as broken:
        raise ConnectionResetError from broken
    finally:
        connection.close()
