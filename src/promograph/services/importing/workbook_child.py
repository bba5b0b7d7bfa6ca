"""A program of its own that reads one sheet of a workbook: the library that does it can be made to use up all memory,
or to abort, by a file of 1.4 KB. It bounds itself before it looks at the file.

    python -I workbook_child.py '{"sheet": null, "memory": bytes, "seconds": of the processor}' < book.xlsx > answer

The answer is JSON, an object a line: first `{"sheet", "is_chosen", "others", "merged"}`, then blocks of rows
`{"first": number of the first row, "rows": [[text, …], …], "damaged": [[place, column, why], …], "errors": [[place,
column, "#N/A"], …], "numeric": {column: count}}`, last `{"done": true}`; or
`{"fault": what, "names": [sheets' names]}`.
It imports nothing of promograph, so that it starts quickly and its bounds hold nothing else.
"""

import datetime
import json
import posixpath
import re
import struct
import sys
import zipfile
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

if sys.platform != "win32":
    import resource

_ROWS = 2_000  # a line of the answer
_MOST_UNPACKED = 2 << 30  # bytes of a packed file
_HEAD = 20  # rows in which merged cells say something about the columns
_WIDEST = 16_384

# A spreadsheet's number has 15 digits that are right; of a longer one the others have become zeros.
_EXACT = 10**15
_DAMAGED = (
    "this number has more than the 15 digits that a spreadsheet keeps, so that its last ones are lost: format the "
    "column as text and enter the codes anew."
)


# The library takes a cell with an error for an empty one, so these are looked for beside it.
Errors = dict[int, list[tuple[int, str]]]
"""By row from 0: column and error."""

_ERROR = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*\bt=[\"']e[\"'][^<>]*)>\s*"
    rb"(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v\b[^<>]*>([^<]{1,16})<"
)
_AT = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_LONGEST_CELL = 70_000
# Source: [MS-XLS] 2.5.10, and 2.4.21, 2.4.28, 2.4.127 for the records.
_XLS_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_BEGIN, _END, _SHEET, _FORMULA, _CONSTANT = 0x809, 0x0A, 0x85, 0x06, 0x205


class _Fault(Exception):
    """Why the file is not read: a word, and the names of its sheets where they help."""

    def __init__(self, what: str, names: list[str] | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.names = names or []


def main() -> None:
    asked = json.loads(sys.argv[1])
    _bound(asked["memory"], asked["seconds"])
    try:
        _answer(asked["sheet"])
    except _Fault as fault:
        _say({"fault": fault.what, "names": fault.names})
    except PasswordError:
        _say({"fault": "password", "names": []})
    except MemoryError:
        _say({"fault": "large", "names": []})
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError):
        _say({"fault": "password" if _is_locked() else "broken", "names": []})


def _is_locked() -> bool:
    """Whether what cannot be read has another file in it that is encrypted, as an XLSX with a password has."""
    sys.stdin.buffer.seek(0)
    return "EncryptedPackage".encode("utf-16-le") in sys.stdin.buffer.read()


def _bound(memory: int, seconds: int) -> None:
    if sys.platform != "win32":  # there, the parent's patience is the only bound
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(asked: str | None) -> None:
    file = sys.stdin.buffer
    if zipfile.is_zipfile(file):
        file.seek(0)
        with zipfile.ZipFile(file) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST_UNPACKED:
                raise _Fault("large")
    file.seek(0)
    book = CalamineWorkbook.from_filelike(file)
    every = [each for each in book.sheets_metadata if each.typ is SheetTypeEnum.WorkSheet]
    shown = [each.name for each in every if each.visible is SheetVisibleEnum.Visible]
    sheet = _chosen(book, [each.name for each in every], shown, asked)
    name = sheet.name
    merged, fill = _merged(sheet)
    others = [other for other in shown if other != name]
    _say({"sheet": name, "is_chosen": asked is not None, "others": others, "merged": merged})
    errors: Errors = defaultdict(list)
    for row, column, error in _errors(book.sheet_names.index(name)):
        errors[row].append((column, error))
    _rows(sheet, fill, errors)
    _say({"done": True})


def _chosen(book: CalamineWorkbook, every: list[str], shown: list[str], asked: str | None) -> CalamineSheet:
    """The sheet asked for; else the first that is shown and has anything in it."""
    if asked is None:
        if not shown:
            raise _Fault("hidden", every)
        sheets = map(book.get_sheet_by_name, shown)
        return next((sheet for sheet in sheets if sheet.height), None) or book.get_sheet_by_name(shown[0])
    for name in every:
        if name.casefold() == asked.strip().casefold():
            return book.get_sheet_by_name(name)
    if asked.strip().isdecimal() and 1 <= int(asked) <= len(every):
        return book.get_sheet_by_name(every[int(asked) - 1])
    raise _Fault("sheet", every)


def _merged(sheet: CalamineSheet) -> tuple[int, dict[tuple[int, int], tuple[int, int]]]:
    """How many of the first rows have merged cells, and for the places they cover the place that has their text."""
    ranges = [each for each in sheet.merged_cell_ranges or [] if each[0][0] < _HEAD and each[1][0] < _HEAD]
    rows = 0
    fill: dict[tuple[int, int], tuple[int, int]] = {}
    start = sheet.start[0] if sheet.start else 0
    for (top, left), (bottom, right) in sorted(ranges):
        if top > max(rows, start):  # below rows without: those are data
            break
        rows = max(rows, bottom + 1)
        for row in range(top, bottom + 1):
            for column in range(left, min(right, _WIDEST) + 1):
                fill[row, column] = (top, left)
    return rows, fill


def _errors(sheet: int) -> Iterator[tuple[int, int, str]]:
    """Row and column, from 0, and the error of each cell of a sheet that has one. What the library could read and this
    cannot has none.
    """
    file = sys.stdin.buffer
    try:
        if zipfile.is_zipfile(file):
            yield from _xlsx_errors(file, sheet)
        else:
            file.seek(0)
            yield from _xls_errors(_xls_stream(file.read()), sheet)
    except (KeyError, IndexError, ValueError, StopIteration, struct.error, ElementTree.ParseError):
        return


def _xlsx_errors(file: Any, sheet: int) -> Iterator[tuple[int, int, str]]:
    with zipfile.ZipFile(file) as packed:

        def links(path: str) -> list[Any]:
            folder, name = posixpath.split(path)
            return list(ElementTree.fromstring(packed.read(posixpath.join(folder, "_rels", f"{name}.rels"))))

        main = next(link for link in links("") if link.get("Type").endswith("/officeDocument"))
        book = main.get("Target").lstrip("/")
        sheets = [tag for tag in ElementTree.fromstring(packed.read(book)).iter() if tag.tag.endswith("}sheet")]
        wanted = next(value for name, value in sheets[sheet].items() if name.endswith("}id"))
        target = next(link.get("Target") for link in links(book) if link.get("Id") == wanted)
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(book), target)).lstrip("/")
        with packed.open(path) as part:
            waiting = b""
            while piece := part.read(1 << 20):
                waiting += piece
                done = max(0, len(waiting) - _LONGEST_CELL)
                for found in _ERROR.finditer(waiting) if re.search(rb"\bt=[\"']e", waiting) else ():
                    at = _AT.search(found[1])
                    if at is not None:
                        column = 0
                        for letter in at[1]:
                            column = 26 * column + letter - 64
                        yield int(at[2]) - 1, column - 1, found[2].decode("ascii", "replace")
                    done = max(done, found.end())
                waiting = waiting[done:]


def _xls_errors(stream: bytes, sheet: int) -> Iterator[tuple[int, int, str]]:
    starts = [struct.unpack_from("<I", body)[0] for kind, body in _records(stream, 0) if kind == _SHEET]
    for kind, body in _records(stream, starts[sheet]):
        code = None
        if kind == _CONSTANT and body[7]:
            code = body[6]
        elif kind == _FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff":
            code = body[8]
        if code is not None:
            yield *struct.unpack_from("<HH", body), _XLS_ERRORS.get(code, "#N/A")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of a part of the book, those of charts within it left out."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        depth += (kind == _BEGIN) - (kind == _END)
        if depth == 0:
            return
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _xls_stream(file: bytes) -> bytes:
    """The book in an XLS, which is a small file system. Source: [MS-CFB] 2.2 to 2.6."""
    size = 1 << struct.unpack_from("<H", file, 30)[0]
    directory, _, cutoff, short, _, more, _ = struct.unpack_from("<7I", file, 48)
    sectors = list(struct.unpack_from("<109I", file, 76))
    while more < 0xFFFFFFFA and len(sectors) * size < len(file) + 109 * size:
        *further, more = struct.unpack_from(f"<{size // 4}I", file, (more + 1) * size)
        sectors += further
    nexts = array("I", b"".join(file[(n + 1) * size : (n + 2) * size] for n in sectors if n < 0xFFFFFFFA))

    def joined(at: int, table: Any, content: bytes, size: int) -> bytes:
        parts: list[bytes] = []
        while at < len(table) and len(parts) <= len(table):
            parts.append(content[at * size : (at + 1) * size])
            at = table[at]
        return b"".join(parts)

    whole = file[size:]
    entries = joined(directory, nexts, whole, size)
    root, _ = struct.unpack_from("<II", entries, 116)
    for at in range(0, len(entries), 128):
        if entries[at : at + 64].decode("utf-16-le").rstrip("\0") in ("Workbook", "Book"):
            first, length = struct.unpack_from("<II", entries, at + 116)
            if length >= cutoff:
                return joined(first, nexts, whole, size)
            table = array("I", joined(short, nexts, whole, size))
            return joined(first, table, joined(root, nexts, whole, size), 64)
    raise ValueError


def _rows(sheet: CalamineSheet, fill: dict[tuple[int, int], tuple[int, int]], errors: Errors) -> None:
    indent = [""] * (sheet.start[1] if sheet.start else 0)
    rows: list[list[str]] = []
    damaged: list[tuple[int, int, str]] = []
    spoiled: list[tuple[int, int, str]] = []
    numeric: Counter[int] = Counter()
    tops: dict[tuple[int, int], str] = {}
    first = 1
    for number, values in enumerate(sheet.iter_rows()):
        cells = indent.copy()
        for value in values:
            if type(value) is str:
                cells.append(value)
                continue
            if type(value) in (int, float):
                numeric[len(cells)] += 1
                if abs(float(value)) >= _EXACT:  # type: ignore[arg-type]
                    damaged.append((len(rows), len(cells), _DAMAGED))
            cells.append(_text(value))
        spoiled += [(len(rows), column, error) for column, error in errors.get(number, ())]
        if number < _HEAD and fill:
            _fill(number, cells, fill, tops)
        while cells and not cells[-1]:
            cells.pop()
        rows.append(cells)
        if len(rows) == _ROWS:
            _say({"first": first, "rows": rows, "damaged": damaged, "errors": spoiled, "numeric": numeric})
            first += len(rows)
            rows, damaged, spoiled, numeric = [], [], [], Counter()
    if rows:
        _say({"first": first, "rows": rows, "damaged": damaged, "errors": spoiled, "numeric": numeric})


def _fill(
    row: int, cells: list[str], fill: dict[tuple[int, int], tuple[int, int]], tops: dict[tuple[int, int], str]
) -> None:
    """Write what merged cells say into all the places that they cover."""
    for (at, column), top in fill.items():
        if at != row:
            continue
        cells.extend([""] * (column + 1 - len(cells)))
        if top == (row, column):
            tops[top] = cells[column]
        elif not cells[column]:
            cells[column] = tops.get(top, "")


def _text(value: Any) -> str:
    """What a spreadsheet shows of a value, near enough: 42 and not 42.0, a day without midnight."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else format(value, ".15g")
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
