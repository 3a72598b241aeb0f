"""The table of the zoos: which networks it takes, what becomes of one that dies, and the page."""

import os
import signal
import sys

import pytest

from benchmarks import zoo_table
from benchmarks.zoo_table import Row, families, page
from segviz.core.capabilities import Ability


def test_a_family_is_the_letters_that_a_name_begins_with_and_gives_its_smallest():
    names = ["resnet50", "resnet18", "resnet18_tiny", "vit_base_p16", "vit_tiny_p16", "vit_small_p16", "xception"]
    assert families(names) == ["resnet18_tiny", "vit_tiny_p16", "xception"]


def test_timm_has_its_families():
    timm = pytest.importorskip("timm", reason="of the extra 'zoo', which the tests do not need")
    found = families(timm.list_models())
    assert len(found) > 100
    assert "resnet18" in {name.partition("_")[0] for name in found} or any(n.startswith("resnet") for n in found)
    assert all(timm.is_model(name) for name in found)


@pytest.mark.skipif(sys.platform != "linux", reason="the table is made on Linux: it limits memory as Linux does")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
class TestGuard:
    def test_a_row_comes_back_from_its_process(self, monkeypatch):
        monkeypatch.setattr(zoo_table, "row_of", lambda spec: Row(spec, parameters=os.getpid()))
        row = zoo_table.guarded("one")
        assert row.spec == "one"
        assert row.parameters != os.getpid()

    def test_a_process_that_dies_is_one_row(self, monkeypatch):
        monkeypatch.setattr(zoo_table, "row_of", lambda spec: os.kill(os.getpid(), signal.SIGKILL))
        assert "died (-9)" in zoo_table.guarded("one").failure

    def test_a_process_that_hangs_is_one_row(self, monkeypatch):
        monkeypatch.setattr(zoo_table, "row_of", lambda spec: signal.pause())
        monkeypatch.setattr(zoo_table, "CLOCK", 0.2)
        assert "not done" in zoo_table.guarded("one").failure

    def test_a_process_that_takes_too_much_memory_is_one_row(self, monkeypatch):
        monkeypatch.setattr(zoo_table, "MEMORY", 2**28)
        monkeypatch.setattr(zoo_table, "row_of", lambda spec: bytearray(2**31))
        assert "MemoryError" in zoo_table.guarded("one").failure


def test_the_fields_of_a_network_of_torchvision_are_measured():
    pytest.importorskip("torchvision", reason="of the extra 'zoo', which the tests do not need")
    row = zoo_table.row_of("torchvision:squeezenet1_1")
    assert (row.failure, row.measured, row.misjudged) == ("", zoo_table.UNITS, ())


def test_a_real_row():
    row = zoo_table.row_of("lenet5")
    assert (row.parameters, row.layers, row.failure) == (61_706, 8, "")
    assert row.verdicts == ("yes", "partly", "yes", "yes", "yes", "yes")
    assert "'c5'" in row.reasons[1]


def test_the_page_has_every_network_and_says_each_reason_once():
    yes, reasons = ("yes",) * 5, ("",) * 5
    rows = [
        Row("torchvision:one", 1_234, 5, (*yes, "no"), (*reasons, "it mixes | positions"), "", 8, ("unit 0,1 of 'a'",)),
        Row("torchvision:two", 5, 5, (*yes, "no"), (*reasons, "it mixes | positions")),
        Row("timm:three", failure="the process died (-9)"),
    ]
    text = page(rows, 4)
    assert "3 networks" in text
    assert "**2 open**" in text
    assert "| one | 1,234 | 5 | yes | yes | yes | yes | yes | **no** |" in text
    assert "| no | it mixes \\| positions | torchvision:one, torchvision:two |" in text
    assert "| timm:three | the process died (-9) |" in text
    assert "Not run yet: 4" in text
    assert "8 units of random layers of 1 networks; the graph and a gradient disagree on 1." in text
    assert "| torchvision:one | unit 0,1 of 'a' |" in text
    assert all(ability.title.lower() in text for ability in Ability)
