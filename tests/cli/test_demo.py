"""The demo as people run it: processes of its own, a look at what they leave behind; and what it says of failures."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from rich.console import Console

from promograph.cli import demo_server
from promograph.cli.client import Api, ApiError
from promograph.cli.demo import run_demo
from promograph.cli.demo_lobby import show_lobby
from promograph.cli.demo_server import ServerFailed
from promograph.cli.demo_stage import PromiseBroken, Stage
from promograph.cli.demo_world import TILLS, Counted, World, at_all_tills

MEMBERS = 300
BUYERS = MEMBERS // 5
SECONDS = 300


@dataclass(frozen=True)
class Running:
    """A demo in a process of its own; its temporary files go to `folder`, where there is nothing else."""

    process: subprocess.Popen[str]
    folder: Path

    def rest(self) -> tuple[str, str]:
        return self.process.communicate(timeout=SECONDS)

    def lines_until(self, wanted: str) -> list[str]:
        assert self.process.stdout is not None
        lines: list[str] = []
        while not lines or wanted not in lines[-1]:
            line = self.process.stdout.readline()
            assert line, f"it ended before it said {wanted!r}: {lines} {self.rest()}"
            lines.append(line)
        return lines


def started(folder: Path, *options: str) -> Running:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PROMOGRAPH_")}
    command = [sys.executable, "-m", "promograph.cli.main", "demo", "--members", str(MEMBERS), *options]
    pipe = subprocess.PIPE
    environment["TMPDIR"] = str(folder)
    return Running(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment), folder)


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """One that ends by itself and one that serves on, side by side: most of their time is spent on starting."""
    both = (
        started(tmp_path_factory.mktemp("once"), "--once"),
        started(tmp_path_factory.mktemp("serving")),
    )
    yield both
    for running in both:
        # SIGTERM, so that a demo which hangs still ends its server.
        running.process.terminate()
        running.rest()


@pytest.fixture
def handlers() -> Iterator[None]:
    """A demo that was ended by a signal leaves signals ignored, for its process is about to end: this one is not."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def assert_nothing_is_left(folder: Path, output: str) -> None:
    assert list(folder.iterdir()) == []
    address = re.search(r"http://127\.0\.0\.1:\d+", output)
    assert address is not None
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{address[0]}/health", trust_env=False)


def test_once_tells_the_whole_story_and_leaves_nothing(demos: tuple[Running, Running]) -> None:
    once, _ = demos
    output, errors = once.rest()
    assert (once.process.returncode, errors) == (0, "")
    squeezed = re.sub(r"[ ━╸╺]+", " ", output)
    for line in (
        "Promotion Status Codes Issued Redeemed Fallback",
        f"Powder Flash Sale ACTIVE PERSONALIZED {MEMBERS}/{MEMBERS} {BUYERS + 1} off",
        "Save 20 on Rentals ACTIVE SINGLE 1/1 120 off",
        "Birthday Lift Ticket ACTIVE PERSONALIZED 430/1,000 0 off",
        "Spa Weekday ACTIVE PERSONALIZED 20/20 0 on",
    ):
        assert line in squeezed
    assert 'ALREADY_REDEEMED: "This code has been used 1 of 1 times."' in output
    assert 'NOT_FOUND: "This code is not valid."' in output
    assert "1 is served, 31 are refused." in output
    assert "promograph verify: every counter agrees" in output
    assert "pmg_" not in output
    assert "\x1b" not in output
    assert_nothing_is_left(once.folder, output)


def test_ctrl_c_while_it_serves_on_is_the_regular_end(demos: tuple[Running, Running]) -> None:
    _, serving = demos
    output = "".join(serving.lines_until("A query"))
    url, token, query = re.findall(r"API +(\S+)|Bearer (\w\S+)\"|A query +(.+)", output)
    answer = httpx2.post(
        url[0], json={"query": query[2]}, headers={"Authorization": f"Bearer {token[1]}"}, trust_env=False
    ).json()
    assert len(answer["data"]["promotions"]["nodes"]) == 4
    assert "GraphiQL" in httpx2.get(url[0].replace("graphql", "graphiql/"), trust_env=False).text

    serving.process.send_signal(signal.SIGINT)
    rest, errors = serving.rest()
    assert (serving.process.returncode, errors) == (0, "")
    assert rest.strip() == "The server has ended; nothing is left behind."
    assert_nothing_is_left(serving.folder, output)


class Interrupted(Stage):
    """Ctrl-C comes in the middle of the story; in a terminal, so that bars are shown until then."""

    def __init__(self, width: int) -> None:
        self.file = StringIO()
        super().__init__(Console(file=self.file, force_terminal=True, width=width, highlight=False))

    def promise(self, sentence: str, *, holds: bool, found: object = None) -> None:
        super().promise(sentence, holds=holds, found=found)
        if "validated and redeemed" in sentence:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("handlers")
def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stage = Interrupted(width=90)
    assert run_demo(stage, members=MEMBERS, once=False) == 128 + signal.SIGINT
    output = stage.file.getvalue()
    assert re.search(rf"Members at the checkout.*━.*{BUYERS}/{BUYERS} at [\d,]+/s", output)
    assert "Stopped in the middle" in output
    assert "lobby" not in output.rpartition("3. The checkout")[2].replace("may list nothing", "")
    assert_nothing_is_left(tmp_path, output)


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo_server, "_MODULE", "promograph.nowhere")
    with pytest.raises(
        ServerFailed, match=r"did not start \(status 1\).\nIts last lines:\n.*No module named promograph"
    ):
        run_demo(Stage(Console(file=StringIO())), members=MEMBERS, once=True)
    assert list(tmp_path.iterdir()) == []


def test_a_promise_is_said_only_when_it_is_kept() -> None:
    stage = Stage(Console(file=StringIO()))
    stage.promise("Two and two are four.", holds=True)
    with pytest.raises(PromiseBroken, match=r"not true: Two and two are five\. Found instead: 4"):
        stage.promise("Two and two are five.", holds=False, found=4)
    assert isinstance(stage.console.file, StringIO)
    assert stage.console.file.getvalue() == "  ok  Two and two are four.\n"
    assert stage.promises == 1


def answering(answer: Any, status: int = 200) -> Api:
    def respond(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, **({"text": answer} if isinstance(answer, str) else {"json": answer}))

    http = httpx2.AsyncClient(base_url="http://server", transport=httpx2.MockTransport(respond))
    return Api(http, "secret")


def lobby() -> dict[str, Any]:
    numbers = {"total": 4, "issued": 1, "redemptions": 3, "fallbackActive": False}
    shown = {"name": "Spring", "handle": "spring", "status": "ACTIVE", "codeKind": "SINGLE", "inventory": numbers}
    return {"data": {"promotions": {"nodes": [shown]}}}


@pytest.mark.anyio
@pytest.mark.parametrize("width", [40, 120])
async def test_a_lobby_with_other_numbers_than_counted_ends_the_demo(width: int) -> None:
    stage = Stage(Console(file=StringIO(), width=width))
    api = answering(lobby())
    world = World(stage=stage, admin=api, channel=api, checkout=api, screen=api)
    await show_lobby(world, [Counted(handle="spring", total=4, issued=1, redemptions=3)])
    assert isinstance(stage.console.file, StringIO)
    assert "1/4" in stage.console.file.getvalue()
    with pytest.raises(PromiseBroken, match="redemptions=3"):
        await show_lobby(world, [Counted(handle="spring", total=4, issued=1, redemptions=2)])
    await api.http.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "status", "sentence", "codes"),
    [
        ({"data": {"it": {"userErrors": [{"code": "TAKEN", "message": "It is."}]}}}, 200, "It is.", {"TAKEN"}),
        ({"errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}]}, 200, "No.", {"FORBIDDEN"}),
        ("<html>", 502, "status 502 and no JSON", set()),
    ],
)
async def test_what_the_api_refuses_is_one_error(answer: Any, status: int, sentence: str, codes: set[str]) -> None:
    api = answering(answer, status)
    assert "secret" not in repr(api)
    with pytest.raises(ApiError, match=sentence) as caught:
        await api.do("{ it }")
    assert caught.value.codes == codes
    await api.http.aclose()


@pytest.mark.anyio
async def test_the_first_failure_at_the_tills_ends_all() -> None:
    taken: list[int] = []

    async def use(number: int) -> None:
        taken.append(number)
        if number == 3:
            raise ApiError("enough")
        await asyncio.Event().wait()

    with pytest.raises(ApiError, match="enough"):
        await at_all_tills(range(2 * TILLS), use)
    assert taken == list(range(TILLS))
