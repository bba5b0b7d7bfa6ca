"""Opening the files that people send: CSV, text, XLSX and XLS, told apart by their first bytes."""

from codecs import BOM_UTF8
from collections.abc import Iterable
from itertools import chain

from promograph.domain.sheets import Reading, Sheet
from promograph.domain.sheets.text import read_text
from promograph.errors import BadInput, InputProblem
from promograph.services.importing.workbooks import is_workbook, read_workbook

_TELLING = 8  # bytes
# What else is text by its bytes: spreadsheets' "web pages" are named .xls by many shops' back offices.
_NO_LISTS = (b"<!doctyp", b"<html", b"<?xml", b"<head", b"<body", b"<table", b"<meta", b"%pdf-", b"{\\rtf")
_NO_LIST = (
    "This file is a web page, XML, a PDF or the like, whatever its name says: open it in a spreadsheet, save it as "
    "XLSX or CSV, and send that."
)


def open_sheet(chunks: Iterable[bytes], reading: Reading | None = None) -> Sheet:
    """The sheet in a file's bytes, cut anywhere. It reads as far as it must; `Sheet.blocks` reads on.

    It blocks, for as long as a child process takes to start and to read a workbook: call it in a thread. Raises
    BadInput with what is wrong with the file, or with `reading`.
    """
    reading = reading or Reading()
    coming = iter(chunks)
    head = b""
    for chunk in coming:
        head += chunk
        if len(head) >= _TELLING:
            break
    if head.removeprefix(BOM_UTF8).lstrip()[:_TELLING].lower().startswith(_NO_LISTS):
        raise BadInput(InputProblem.INVALID, _NO_LIST)
    read = read_workbook if is_workbook(head) else read_text
    return read(chain((head,), coming), reading)
