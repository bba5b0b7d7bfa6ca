"""A program of its own that reads one sheet of a workbook: the library that does it can be made to use up all memory,
or to abort, by a file of 1.4 KB. It bounds itself before it looks at the file.

    python -I workbook_child.py '{"sheet": null, "memory": bytes, "seconds": of the processor}' < book.xlsx > answer

The answer is JSON, an object a line: first `{"sheet", "is_chosen", "others", "merged"}`, then blocks of rows
`{"first": number of the first row, "rows": [[text, …], …], "damaged": [[place, column, why], …], "numeric": {column:
count}}`, last `{"done": true}`; or `{"fault": what, "names": [sheets' names]}`. It imports nothing of promograph, so
that it starts quickly and its bounds hold nothing else.
"""

import datetime
import json
import sys
import zipfile
from collections import Counter
from typing import Any

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
    _rows(sheet, fill)
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


def _rows(sheet: CalamineSheet, fill: dict[tuple[int, int], tuple[int, int]]) -> None:
    indent = [""] * (sheet.start[1] if sheet.start else 0)
    rows: list[list[str]] = []
    damaged: list[tuple[int, int, str]] = []
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
        if number < _HEAD and fill:
            _fill(number, cells, fill, tops)
        while cells and not cells[-1]:
            cells.pop()
        rows.append(cells)
        if len(rows) == _ROWS:
            _say({"first": first, "rows": rows, "damaged": damaged, "numeric": numeric})
            first += len(rows)
            rows, damaged, numeric = [], [], Counter()
    if rows:
        _say({"first": first, "rows": rows, "damaged": damaged, "numeric": numeric})


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
