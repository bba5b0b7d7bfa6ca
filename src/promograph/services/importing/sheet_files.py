"""Opening the files that people send: CSV, text, XLSX and XLS, told apart by their first bytes."""

from collections.abc import Iterable
from itertools import chain

from promograph.domain.sheets import Reading, Sheet
from promograph.domain.sheets.text import read_text
from promograph.services.importing.workbooks import is_workbook, read_workbook

_TELLING = 8  # bytes


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
    read = read_workbook if is_workbook(head) else read_text
    return read(chain((head,), coming), reading)
