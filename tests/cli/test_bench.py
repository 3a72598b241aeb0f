"""What `segviz bench` says and compares; the rows are made up, their numbers told."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measure import Found, Measure, Plan, at_least, at_most
from benchmarks.rows import ROWS, Row
from segviz.cli import bench
from segviz.cli.compare import compared
from segviz.core.errors import SegvizError
from tests.cli.conftest import Segviz


def fake(plan: Plan) -> Found:
    plan.say("under way")
    return Found(
        "a thing of 3x4",
        [
            Measure("slow / fast", (10.0, 11.0, 12.0), target=at_least(9), extrapolated=True),
            Measure("memory", (0.5, 0.5, 0.6), target=at_most(0.25)),
            Measure("difference", (2e-6,), "", at_most(1e-5)),
        ],
        {"slow": (10.0, 11.0, 12.0), "fast": (1.0, 1.0, 1.0)},
        ["without a peer"],
    )


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.rows.ROWS", (Row("98", "fake", "A fake row", fake), *ROWS))


@pytest.mark.usefixtures("rows")
def test_json_has_rows_machine_and_versions(segviz: Segviz) -> None:
    data = segviz("bench", "98", "--json").data
    assert data.keys() == {"machine", "versions", "quick", "rows"}
    (row,) = data["rows"]
    assert [(m["name"], m["median"], m["met"]) for m in row["measures"]] == [
        ("slow / fast", 11, True), ("memory", 0.5, False), ("difference", 2e-6, True),
    ]  # fmt: skip


@pytest.mark.usefixtures("rows")
def test_the_table_says_targets_spread_and_what_was_extrapolated(segviz: Segviz) -> None:
    done = segviz("bench", "fake")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "slow / fast 11x ± 0.5x 3 >= 9x met, extrapolated" in lines
    assert "memory 0.5x ± 0.025x 3 <= 0.25x MISSED" in lines
    assert "difference 2.0e-06 1 <= 1e-05 met" in lines
    assert "Row 98: a thing of 3x4; without a peer. Load " in done.out
    assert "row 98: A fake row" in done.err
    assert done.status == 0


@pytest.mark.usefixtures("rows")
def test_a_quick_run_says_that_no_target_is_judged(segviz: Segviz) -> None:
    done = segviz("bench", "98", "--quick", "--quiet")
    assert "no target is judged" in done.out
    assert "MISSED" not in done.out
    assert done.err == ""


@pytest.mark.usefixtures("rows")
def test_a_result_is_kept_and_compared_with_the_next(segviz: Segviz, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    data = segviz("bench", "98", "--json", "--out", kept).data
    assert json.loads(kept.read_text()) == data
    same = segviz("bench", "98", "--against", kept)
    assert same.status == 0
    assert "Nothing became worse" in same.out
    data["rows"][0]["measures"][0]["median"] = 13.0
    kept.write_text(json.dumps(data))
    worse = segviz("bench", "98", "--against", kept)
    assert worse.status == 1
    assert "1 of 3 became worse by more than they scatter" in worse.out


RESULT = {
    "machine": {"threads": 2},
    "versions": {"torch": "2"},
    "rows": [
        {
            "row": "1",
            "name": "one",
            "conditions": "so",
            "measures": [
                {"name": "ratio", "unit": "x", "median": 10.0, "spread": 1.0, "target": {"at_least": 5}, "met": True},
                {"name": "less", "unit": "x", "median": 1.0, "spread": 0.1, "target": {"at_most": 2}, "met": True},
                {"name": "plain", "unit": "%", "median": 50.0, "spread": 1.0, "target": None, "met": None},
                {"name": "number", "unit": "", "median": 1e-6, "spread": 0.0, "target": {"at_most": 1}, "met": True},
            ],
        }
    ],
}


def after(name: str, **changes: Any) -> dict[str, Any]:
    """RESULT with one measure changed."""
    data: dict[str, Any] = copy.deepcopy(RESULT)
    (measure,) = [m for m in data["rows"][0]["measures"] if m["name"] == name]
    measure.update(changes)
    return data


@pytest.mark.parametrize(
    ("name", "changes", "verdict"),
    [
        ("ratio", {"median": 8.0}, "same"),  # by as much as both scatter
        ("ratio", {"median": 7.9}, "worse"),
        ("ratio", {"median": 7.9, "spread": 2.0}, "same"),
        ("ratio", {"median": 12.1}, "better"),
        ("less", {"median": 1.3}, "worse"),
        ("less", {"median": 0.7}, "better"),
        ("plain", {"median": 40.0}, "worse"),
        ("number", {"median": 1e-5}, "same"),  # still within its target
        ("number", {"median": 2.0, "met": False}, "worse"),
    ],
)
def test_worse_is_what_fell_by_more_than_it_scatters(name: str, changes: dict[str, Any], verdict: str) -> None:
    found = compared(RESULT, after(name, **changes))
    assert {line["name"]: line["verdict"] for line in found.data if line["verdict"] != "same"} == (
        {} if verdict == "same" else {name: verdict}
    )
    assert found.worse == (verdict == "worse")


def test_other_conditions_and_new_measures_are_not_compared() -> None:
    now = after("ratio", median=1.0)
    now["rows"][0]["conditions"] = "otherwise"
    now["rows"].append({**now["rows"][0], "row": "2", "name": "two"})
    found = compared(RESULT, now)
    assert [line["verdict"] for line in found.data] == ["other conditions"] * 4 + ["new"] * 4
    assert not found.worse


def test_another_machine_is_said() -> None:
    other = {**copy.deepcopy(RESULT), "machine": {"threads": 8}, "versions": {"torch": "2", "monai": "1"}}
    text = compared(RESULT, other).text
    assert "threads: 2 before, 8 now" in text
    assert "monai: none before, 1 now" in text
    assert "torch" not in text


@pytest.mark.parametrize("contents", ["", "[]", "{}", '{"rows": [{}]}', '{"rows": 3}'])
def test_another_file_is_no_result(tmp_path: Path, contents: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(contents)
    with pytest.raises(SegvizError, match="not a result of 'segviz bench --out FILE'"):
        bench.read(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nine"], "there is no row 'nine'; there are: 1 lenet-dense, 2"),
        (["1", "--device", "cuda"], "one of the processor"),
        (["1", "--out", "a.txt"], "end its name so"),
    ],
)
def test_wrong_words(segviz: Segviz, words: list[str], said: str) -> None:
    done = segviz("bench", *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_an_installed_package_says_where_the_rows_are(tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match="they lie in benchmarks/ of its source"):
        bench.rows_module(tmp_path / "segviz")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(31.24, "x", "31.2x"), (1234.5, "x", "1,234x"), (0.1375, "x", "0.138x"), (86.4, "%", "86.4%"), (0, "", "0")],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert bench.amount(value, unit) == text
