"""`kill -9` in the middle of an import, and files that are made to bring a server down."""

import asyncio
import io
import zipfile
from typing import Any

import pytest

from .asking import Client, Gone
from .commands import PATIENCE_SECONDS
from .conftest import BothStores, NewServer
from .servers import Server, running
from .stores import differences, sql

FREE = 150_000
ASSIGNED = 60_000
BEFORE = 5

# By the promotions, of which there are few: looking for one among all codes would take as long as the load.
_HALF_LOADED = (
    "SELECT x.key FROM (SELECT (SELECT c.key FROM code c WHERE c.promotion_id = s.promotion_id AND c.seq > s.tail "
    "LIMIT 1) AS key FROM stock s) x WHERE x.key IS NOT NULL LIMIT 1"
)
_HALF_ASSIGNED = (
    "SELECT s.issued FROM stock s JOIN job j ON j.promotion_id = s.promotion_id "
    "WHERE s.issued > 0 AND j.finished_at IS NULL"
)
_SHOWN = "report { added } userErrors { code message }"


def test_an_import_that_is_killed_goes_on_to_its_end(both_stores: BothStores, new_server: NewServer) -> None:
    def survive(store: str, token: str) -> None:
        server = new_server(store)
        with running([server]):
            seen = asyncio.run(_killed_loading(server, token, store))
            server.start()
            asyncio.run(_killed_assigning(server, token, store, seen))
            server.start()
            asyncio.run(_at_its_end(server, token))
        assert differences(store) == []

    both_stores(survive)


def test_a_workbook_with_cells_far_apart_leaves_the_server_alive(
    both_stores: BothStores, new_server: NewServer
) -> None:
    def survive(store: str, token: str) -> None:
        server = new_server(store)
        with running([server]):
            asyncio.run(_refused(server, token))

    both_stores(survive)


async def _killed_loading(server: Server, token: str, store: str) -> str:
    """Killed when a part of the codes for nobody is in the store; one of those."""
    free = "\n".join(f"FREE-{n:07}," for n in range(FREE))
    assigned = "\n".join(f"FOR-{n:07},c{n}" for n in range(ASSIGNED))
    async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        promotion = await client.promotion("imported", [f"before-{n}" for n in range(BEFORE)])
        file = f"code,customer\n{free}\n{assigned}\n".encode()
        asking = asyncio.create_task(
            client.import_codes(promotion, file, shown=_SHOWN, columns={"customer": "customer"})
        )
        while not (found := await asyncio.to_thread(sql, store, _HALF_LOADED)):
            assert not asking.done(), "it was over before it could be killed"
        server.kill()
        with pytest.raises(Gone):
            await asking
    return str(found[0][0])


async def _killed_assigning(server: Server, token: str, store: str, half_loaded: str) -> None:
    """It goes on, and a part is to be seen when all of it is there; killed again when some people have their codes."""
    async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        document = "query($input: CodeValidateInput!) { codeValidate(input: $input) { isValid } }"
        while (await client.look_at("imported"))["inventory"]["total"] == BEFORE:
            seen = (await client.ask(document, {"input": {"code": half_loaded}})).body["data"]["codeValidate"]
            shown = (await client.look_at("imported"))["inventory"]["total"]
            assert not seen["isValid"] or shown > BEFORE
        assert (await client.look_at("imported"))["inventory"]["total"] >= BEFORE + FREE
        while not await asyncio.to_thread(sql, store, _HALF_ASSIGNED):
            ((finished,),) = sql(store, "SELECT finished_at FROM job")
            assert finished is None, "it was over before it could be killed"
        server.kill()


async def _at_its_end(server: Server, token: str) -> None:
    document = "{ jobs { nodes { status done error } } }"
    async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        job = await _only_job(client, document)
        while job["status"] == "RUNNING":
            job = await _only_job(client, document)
        assert job == {"status": "DONE", "done": FREE + ASSIGNED, "error": None}
        assert (await client.look_at("imported"))["inventory"]["total"] == BEFORE + FREE + ASSIGNED


async def _only_job(client: Client, document: str) -> dict[str, Any]:
    (job,) = (await client.ask(document, {})).body["data"]["jobs"]["nodes"]
    return dict(job)


async def _refused(server: Server, token: str) -> None:
    async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        promotion = await client.promotion("bombed", ["before"])
        payload = (await client.import_codes(promotion, _far_apart(), shown=_SHOWN)).body["data"]["codesImport"]
        assert [error["code"] for error in payload["userErrors"]] == ["INVALID"]
        payload = (await client.import_codes(promotion, b"A\nB\n", shown=_SHOWN)).body["data"]["codesImport"]
        assert (payload["report"], payload["userErrors"]) == ({"added": 2}, [])


def _far_apart() -> bytes:
    """An XLSX of under 2 KB whose two cells are the first and the last that there can be."""
    office = "http://schemas.openxmlformats.org"
    main, links = f"{office}/spreadsheetml/2006/main", f"{office}/package/2006/relationships"
    rel = f"{office}/officeDocument/2006/relationships"
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{links}"><Relationship Id="r1" Type="{rel}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="A" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{links}"><Relationship Id="r1" Type="{rel}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>',
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return content.getvalue()
