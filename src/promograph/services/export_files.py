"""Rows written as CSV and as XLSX, in memory that does not grow with them."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from promograph.domain.stock.exports import COLUMNS, Stretch

_MOST_ROWS = 1_048_575
"""Of a sheet, its header aside: there is no more room in the format."""

_QUOTED = re.compile('[",\r]')
"""What has the csv module put a text into quotes, a line feed aside."""

CSV_BEGINNING = "\ufeff"
"""Tells spreadsheets that the file is in UTF-8."""


CSV_HEAD = ",".join(COLUMNS) + "\r\n"


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV with commas and CRLF; the texts are made harmless already."""
    return _encoded(_csv(rows))


def code_lines(stretches: Sequence[Stretch]) -> bytes:
    """The same of codes, in stretches of which the same is told."""
    every = [text for texts, _ in stretches for text in texts]
    whole = "\n".join(every)
    tails = _csv(tail for _, tail in stretches).split("\r\n")
    if _QUOTED.search(whole) or whole.count("\n") != len(every) - 1 or len(tails) != len(stretches) + 1:
        return csv_lines((text, *tail) for texts, tail in stretches for text in texts)
    lines: list[str] = []
    for (texts, _), tail in zip(stretches, tails, strict=False):
        end = f",{tail}\r\n"
        lines += end.join(texts), end
    return _encoded("".join(lines))


def _csv(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _encoded(lines: str) -> bytes:
    return lines.encode(errors="replace")


class Workbook:
    """An XLSX file in the making, on the disk; every cell is a text. Further sheets follow one that is full."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="promograph-export-")
        self._file = (Path(self._folder.name) / "whole").open("w+b")
        self._book = xlsxwriter.Workbook(self._file, {"constant_memory": True, "tmpdir": self._folder.name})
        self._sheet: Any = None
        self._next = 0

    def add(self, stretch: Stretch) -> None:
        codes, tail = stretch
        told = [(column, text) for column, text in enumerate(tail, start=1) if text]
        for code in codes:
            if self._sheet is None or self._next > _MOST_ROWS:
                self._begin_sheet()
            sheet, number = self._sheet, self._next
            sheet.write_string(number, 0, code)
            for column, text in told:
                sheet.write_string(number, column, text)
            self._next += 1

    def finished(self, part_bytes: int) -> Iterator[bytes]:
        """The whole file, in parts."""
        if self._sheet is None:
            self._begin_sheet()
        self._book.close()
        self._file.seek(0)
        while part := self._file.read(part_bytes):
            yield part

    def close(self) -> None:
        """Leave nothing of it on the disk, finished or not."""
        self._file.close()
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
        self._folder.cleanup()

    def _begin_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        for column, name in enumerate(COLUMNS):
            self._sheet.write_string(0, column, name)
        self._next = 1
