"""Messages as files: what there is before there is a mail server."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from promograph import Delivery

from .post import Letter


class Folder:
    """Each message is `KEY.eml`, written whole or not at all; a repeat takes the place of the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def post(self, letters: Sequence[Letter]) -> list[Delivery]:
        return await asyncio.to_thread(self._write, letters)

    async def close(self) -> None:
        """There is nothing to give back."""

    def _write(self, letters: Sequence[Letter]) -> list[Delivery]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            return [Delivery.try_again(letter.key, _why(self._folder, failure)) for letter in letters]
        return [self._write_one(letter) for letter in letters]

    def _write_one(self, letter: Letter) -> Delivery:
        path = self._folder / f"{letter.key}.eml"
        half = path.with_suffix(f".{os.getpid()}.half")
        try:
            half.write_bytes(letter.content)
            half.replace(path)
        except OSError as failure:
            return Delivery.try_again(letter.key, _why(path, failure))
        return Delivery.accepted(letter.key, letter.message_id)


def _why(path: Path, failure: OSError) -> str:
    return f"{path} cannot be written ({failure.strerror})."
