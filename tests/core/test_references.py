from __future__ import annotations

import pytest

from segviz.core import catalogue
from segviz.core.entries import Entry
from segviz.core.references import load
from tests.worker import fake


def test_what_a_reference_names_is_imported() -> None:
    assert load("tests.worker.fake:FakeEngine") is fake.FakeEngine


@pytest.mark.parametrize("entry", catalogue.ENTRIES, ids=lambda entry: entry.name)
def test_builders_of_the_catalogue_are_there(entry: Entry) -> None:
    assert callable(load(entry.builder))


@pytest.mark.parametrize("reference", ["segviz.core.references:nothing", "segviz.core.references"])
def test_a_reference_to_nothing_is_a_bug(reference: str) -> None:
    with pytest.raises(AttributeError):
        load(reference)
