"""The page on adding things names what there is: files that exist, and names that occur in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = re.split(r"^## ", (ROOT / "docs" / "how-to-add.md").read_text(encoding="utf-8"), flags=re.M)[1:]
PLACES = ("segviz", "tests", "resources", "benchmarks")
SPAN = re.compile(r"`([^`\n]+)`")


def files_of(section: str) -> list[Path]:
    """What the section names as places of the project."""
    return [ROOT / span for span in SPAN.findall(section) if span.partition("/")[0] in PLACES]


def strangers(section: str) -> list[str]:
    """Names of classes and tables in the section that occur in none of the Python files that it names."""
    sources = [
        file.read_text(encoding="utf-8")
        for place in files_of(section)
        for file in ([place] if place.suffix == ".py" else place.rglob("*.py"))
    ]
    names = {span for span in SPAN.findall(section) if re.fullmatch(r"[A-Z]\w+", span)}
    return sorted(name for name in names if not any(re.search(rf"\b{name}\b", source) for source in sources))


def test_there_are_sections():
    assert len(SECTIONS) >= 6
    assert sum(len(files_of(section)) for section in SECTIONS) >= 10


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_a_section_names_what_there_is(section):
    assert [str(place) for place in files_of(section) if not place.exists()] == []
    assert strangers(section) == []


def test_a_stranger_is_seen():
    assert strangers("Returns `Scores`, is in `METHODS` of `segviz/engine/inference.py`") == ["Scores"]
