"""Pretended engines, for tests of the process around an engine. The real one is in `real.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from segviz.worker.client import Client
from segviz.worker.messages import Event
from tests.worker.listening import Heard

FAKE = "tests.worker.fake:FakeEngine"


@pytest.fixture
def make_client() -> Iterator[Callable[..., tuple[Client, Heard]]]:
    """A function that makes a client of a pretended engine and what it told; closed at the end of the test."""
    made: list[Client] = []

    def make(runner: str = FAKE, **options) -> tuple[Client, Heard]:
        heard = Heard()
        client = Client(heard, runner, **options)
        made.append(client)
        return client, heard

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="module")
def _shared_client() -> Iterator[tuple[Client, list[Heard]]]:
    hearing: list[Heard] = []

    def tell(event: Event) -> None:
        for heard in hearing:
            heard(event)

    client = Client(tell, FAKE, patience=0.2, patience_replaced=0.4)
    yield client, hearing
    client.close()


@pytest.fixture
def client_and_heard(_shared_client) -> Iterator[tuple[Client, Heard]]:
    """A client with little patience, shared by the tests of a module, and what it tells in this test."""
    client, hearing = _shared_client
    heard = Heard()
    hearing[:] = [heard]
    yield client, heard
    client.cancel()
