"""Workbooks (XLSX, XLS) as sheets, read by a child process that may die of them."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from tempfile import TemporaryFile
from typing import IO, Any

from promograph.domain.sheets import Block, Reading, Sheet
from promograph.errors import BadInput, InputProblem

ARCHIVE = b"PK\x03\x04"  # XLSX
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # XLS; an XLSX with a password, too

_CHILD = Path(__file__).with_name("workbook_child.py")
_MEMORY = 1 << 30  # bytes of addresses: a million rows of three columns take half
_PROCESSOR_SECONDS = 60
_PATIENCE_SECONDS = 90.0  # between two lines of the answer
_ERROR = "This row has the spreadsheet's error {} where a value should be: mend the cell, or enter the value as text."
_FAULTS = {
    "password": "This workbook has a password: save it without one.",
    "broken": "This workbook cannot be read: open it in a spreadsheet, save it as XLSX or CSV, and send that.",
    "large": "This workbook unpacks to more than can be read: save the sheet with the rows as CSV, and send that.",
    "hidden": "Every sheet of this workbook is hidden: name the one to read.",
    "sheet": "This workbook has no such sheet.",
}


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins with these 8 bytes is a workbook, or something else in the same wrapping."""
    return head.startswith((ARCHIVE, COMPOUND))


def read_workbook(chunks: Iterable[bytes], reading: Reading) -> Sheet:
    """The sheet that `reading` names, or the first one that is not hidden. BadInput for what is no workbook, and both
    here and from `Sheet.blocks` for one that takes too much memory or time. The child lives until `Sheet.blocks` has
    been gone through, or is forgotten.
    """
    for name in ("encoding", "separator"):
        if getattr(reading, name) is not None:
            raise BadInput(InputProblem.INVALID, f"A workbook has no {name}; leave it out.", field=(name,))
    lines = _lines(chunks, reading.sheet)
    about = next(lines)
    return Sheet(_blocks(lines), is_table=True, merged=about["merged"], notes=_notes(about))


def _notes(about: dict[str, Any]) -> list[str]:
    others = about["others"]
    if about["is_chosen"] or not others:
        return []
    named = ", ".join(name[:40] for name in others[:10])
    return [f"Only the sheet {about['sheet'][:40]} was read; the workbook has {named} too."]


def _blocks(lines: Iterator[dict[str, Any]]) -> Iterator[Block]:
    for line in lines:
        rows = line["rows"]
        yield Block(
            numbers=range(line["first"], line["first"] + len(rows)),
            rows=rows,
            damaged={(place, column): why for place, column, why in line["damaged"]},
            errors={(place, column): _ERROR.format(error) for place, column, error in line["errors"]},
            numeric={int(column): count for column, count in line["numeric"].items()},
        )


def _lines(chunks: Iterable[bytes], sheet: str | None) -> Iterator[dict[str, Any]]:
    """What the child says, until it is done; the child ends with this generator, whichever way that ends."""
    asked = json.dumps({"sheet": sheet, "memory": _MEMORY, "seconds": _PROCESSOR_SECONDS})
    with TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        # Whoever sends a file has no business with our environment, which has the store's password.
        child = subprocess.Popen(
            [sys.executable, "-I", str(_CHILD), asked],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
    assert child.stdout is not None
    try:
        with closing(child.stdout) as said:
            for text in _said(said):
                answer = json.loads(text)
                if "done" in answer:
                    return
                if "fault" in answer:
                    raise _fault(answer["fault"], answer["names"])
                yield answer
        raise _fault("large", [])
    finally:
        child.kill()
        child.wait()


def _said(stream: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, none of which may be long in coming."""
    begun: list[bytes] = []
    with DefaultSelector() as selector:
        selector.register(stream, EVENT_READ)
        while selector.select(_PATIENCE_SECONDS):
            piece = stream.read1(1 << 20)  # type: ignore[attr-defined]
            if not piece:
                return
            *lines, rest = piece.split(b"\n")
            for line in lines:
                yield b"".join((*begun, line))
                begun = []
            begun.append(rest)


def _fault(what: str, names: list[str]) -> BadInput:
    sentence = _FAULTS[what]
    if not names:
        return BadInput(InputProblem.INVALID, sentence)
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    shown = ", ".join(name[:40] for name in names[:10])
    return BadInput(InputProblem.NOT_FOUND, f"{sentence} It has {shown}{more}.", field=("sheet",))
