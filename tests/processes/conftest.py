"""Real servers for the tests of this folder."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from promograph.testing import postgres

from .commands import Surroundings
from .servers import Server
from .stores import new_token

NewServer = Callable[..., Server]
BothStores = Callable[[Callable[[str, str], None]], None]


@pytest.fixture(scope="session")
def surroundings(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """Bytecode is kept from one run to the next where pytest keeps anything: compiling the libraries takes seconds."""
    cache = getattr(pytestconfig, "cache", None)  # which `-p no:cacheprovider` takes away
    made = Surroundings(cache.mkdir("bytecode") if cache else tmp_path_factory.mktemp("bytecode"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def new_server(surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    """Make a server that is not started yet; those that still run at the end are killed."""
    folder, made = tmp_path_factory.mktemp("servers"), list[Server]()

    def make(store: str, *options: str, **more: object) -> Server:
        log = folder / f"{len(made)}.log"
        made.append(Server(surroundings, log, store, *options, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def new_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The address of a new empty store: `sqlite` or `postgresql`."""
    numbers = count(1)

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('store')}/promograph.db"
        server: postgres.PostgresServer = request.getfixturevalue("postgres_server")
        return postgres.create_database(server.url, f"promograph_processes_{next(numbers)}")

    return make


@pytest.fixture(scope="session")
def both_stores(new_store: Callable[[str], str]) -> BothStores:
    """Do something on a prepared SQLite store and on a PostgreSQL store at the same time: it is mostly waiting.

    It gets the store's address and an admin's token.
    """

    def act(use: Callable[[str, str], None]) -> None:
        stores = [new_store(kind) for kind in ("sqlite", "postgresql")]
        # One after the other: in one process, two migrations at once get in each other's way.
        tokens = [new_token(store) for store in stores]
        with ThreadPoolExecutor() as threads:
            for done in [threads.submit(use, *each) for each in zip(stores, tokens, strict=True)]:
                done.result()

    return act
