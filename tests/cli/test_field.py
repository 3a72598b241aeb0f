"""What a unit sees, as the command line tells it (lecture T11)."""

from __future__ import annotations

from tests.cli.conftest import Segviz


def test_lenet5s_output_sees_its_whole_window(segviz: Segviz) -> None:
    data = segviz("field", "lenet5", "--layer", "last", "--unit", "0,0", "--json").data
    assert data["box"] == [0, 0, 32, 32]
    assert (data["size"], data["stride"], data["center"]) == (32, 4, [15.5, 15.5])
    assert data["status"] == "exact"


def test_units_outside_the_native_grid_are_answered_by_the_converted_network(segviz: Segviz) -> None:
    data = segviz("field", "lenet5", "--layer", "last", "--unit", "2,5", "--json").data
    assert data["grid"] == [1, 1]
    assert data["box"] == [20, 8, 52, 40]


def test_on_an_input_of_ones_own_the_unit_must_exist(segviz: Segviz) -> None:
    """oracles.md: LeNet-5 on 96x128 gives 17x25."""
    words = ("field", "lenet5", "--layer", "last", "--input", "96x128", "--unit")
    data = segviz(*words, "16,24", "--json").data
    assert data["grid"] == [17, 25]
    assert data["box"] == [96, 64, 128, 96]
    outside = segviz(*words, "17,0", "--json")
    assert (outside.status, outside.out) == (1, "")
    assert "17x25 grid" in outside.err


def test_a_field_reaches_into_the_padding(segviz: Segviz) -> None:
    data = segviz("field", "selfie_general", "--layer", "stem", "--unit", "127,127", "--json").data
    assert data["box"] == [254, 254, 257, 257]
    assert data["outside"] > 0


def test_an_unknown_layer_names_those_there_are(segviz: Segviz) -> None:
    done = segviz("field", "mtcnn_onet", "--layer", "conv9", "--unit", "0,0")
    assert done.status == 1
    assert "no layer 'conv9'" in done.err
    assert "conv1" in done.err


def test_the_text_says_what_it_sees(segviz: Segviz) -> None:
    text = segviz("field", "mtcnn_onet?pooling=floor", "--layer", "last", "--unit", "0,1").out
    assert "x from 8 to 57, y from 0 to 49" in text
    assert "stride  8" in text


def test_a_unit_of_the_native_grid_is_the_published_networks(segviz: Segviz) -> None:
    """EfficientNet-Lite0 ends in global pooling: its one unit sees the whole image; a second one only its twin has."""
    native = segviz("field", "efficientnet_lite0", "--layer", "last", "--unit", "0,0", "--json").data
    assert (native["grid"], native["size"], native["status"]) == ([1, 1], 1043, "whole image")
    beyond = segviz("field", "efficientnet_lite0", "--layer", "last", "--unit", "1,0", "--json").data
    assert (beyond["grid"], beyond["size"], beyond["status"]) == ([7, 7], 851, "exact")


def test_where_a_network_breaks_and_what_would_fit(segviz: Segviz) -> None:
    """Lecture T16: the larger image stops at the first dense layer."""
    broken = segviz("summary", "lenet5", "--input", "96x128")
    assert broken.status == 1
    assert "breaks at layer 'c5'" in broken.err
    odd = segviz("summary", "selfie_general", "--input", "100x100")
    assert "pad to 112x112" in odd.err
