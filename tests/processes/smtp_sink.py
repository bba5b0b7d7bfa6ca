"""A mail server for tests, in a process of its own: it takes everything, and writes down what it took.

Run as `python smtp_sink.py FILE`; it says on which port it listens, and each line of the file is the key of the
Message-ID, the recipient and the code.
"""

import asyncio
import re
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_FOUND = re.compile(rb"Message-ID: <([^@]+)@.*?Code: (\S+)", re.DOTALL)


class Sink:
    """aiosmtpd's handler."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab", buffering=0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        found = _FOUND.search(envelope.content or b"")  # type: ignore[arg-type]
        assert found is not None
        self._file.write(b"\t".join((found[1], envelope.rcpt_tos[0].encode(), found[2])) + b"\n")
        return "250 OK"


async def main(file: Path) -> None:
    sink, loop = Sink(file), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.example", loop=loop), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
