from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.core import assets
from segviz.core.catalogue import ENTRIES, class_index, entry
from segviz.core.classics import CLASSICS, PER_PIXEL
from segviz.core.errors import SegvizError, UsageError
from segviz.core.specs import Spec, parse

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


def test_names_are_unique_and_everything_named_is_shipped() -> None:
    assert len({e.name for e in ENTRIES}) == len(ENTRIES)
    for e in ENTRIES:
        assert not e.trained or assets.weights(e.weights).is_file(), e.weights
        assert assets.sample(e.sample).is_file(), e.sample
        assert len(e.classes) == e.class_count
        assert len(e.preprocessing.mean) in (1, e.input_size[0])
        assert e.summary
        assert e.source


def test_networks_with_random_weights_say_so_and_the_others_do_not() -> None:
    untrained = [e for e in ENTRIES if not e.trained]
    assert [e.name for e in untrained] == [e.name for e in (*CLASSICS, *PER_PIXEL)]
    for e in ENTRIES:
        told = "andom weights" in e.summary, "random weights" in e.caution, "random" in e.weights_text
        assert told == (not e.trained,) * 3, e.name
    assert {e.licence for e in untrained} == {"no weights are shipped"}
    assert entry("vgg16").caution == "VGG16 has random weights: its labels mean nothing, its speed and geometry do"


def test_three_networks_share_one_file_of_weights() -> None:
    lite = [e for e in ENTRIES if e.weights == "fcn_scenes.safetensors"]
    assert [e.name for e in lite] == [f"fcn{stride}s-efficientnet_lite0" for stride in (32, 16, 8)]
    for e in lite:
        assert e.preprocessing == entry("efficientnet_lite0").preprocessing
        assert e.classes == ("background", "mammal", "bird", "insect", "fruit", "flower", "vehicle")


@given(st.integers(-500, 5000))
def test_the_input_that_fits_a_side_is_the_smallest_that_the_network_takes(side: int) -> None:
    """oracles: a U-Net takes 16 p + 60 for p of at least 8 and answers for 16 p - 124."""
    unet = entry("unet").fitting(side)
    assert (unet - 60) % 16 == 0
    assert unet >= 188
    assert unet - 184 >= side
    assert unet == 188 or unet - 16 - 184 < side
    assert entry("unet?padding=same").fitting(side) == max(16, -(-side // 16) * 16)
    assert entry("lenet5").fitting(side) == max(1, side)


def test_preprocessing_speaks_of_as_many_channels_as_the_network_takes() -> None:
    channels = {"L": 1, "RGB": 3, "BGR": 3}
    assert all(channels[e.preprocessing.channels] == e.input_size[0] for e in ENTRIES)


@given(NAMES, st.dictionaries(NAMES, NAMES, max_size=3))
def test_a_spec_comes_back_from_its_own_text(name: str, options: dict[str, str]) -> None:
    spec = Spec(name, tuple(sorted(options.items())))
    assert parse(str(spec)) == spec


def test_options_are_applied_in_any_spacing() -> None:
    assert parse(" mtcnn_onet?pooling=floor ") == Spec("mtcnn_onet", (("pooling", "floor"),))
    floor = entry("mtcnn_onet?pooling=floor")
    assert floor.input_size == (3, 49, 49)
    assert floor.options == (("pooling", "floor"),)
    assert entry("mtcnn_onet").input_size == (3, 48, 48)  # the table itself is as it was


@pytest.mark.parametrize("spec", ["", "  ", "?pooling=floor"])
def test_an_empty_spec_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        parse(spec)


def test_a_question_mark_alone_asks_for_nothing() -> None:
    assert parse("lenet5?") == Spec("lenet5")


@pytest.mark.parametrize("spec", ["lenet5?pooling", "lenet5?&"])
def test_half_an_option_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match=r"name\?option=value"):
        parse(spec)


def test_refusals_name_what_there_is() -> None:
    with pytest.raises(SegvizError, match=r"no network 'quux'.*lenet5"):
        entry("quux")
    with pytest.raises(SegvizError, match="pooling=ceil, pooling=floor"):
        entry("mtcnn_rnet?pooling=round")
    with pytest.raises(SegvizError, match="its options: none"):
        entry("lenet5?pooling=floor")


def test_classes_are_found_by_name_and_number() -> None:
    classes = entry("efficientnet_lite0").classes
    castle = class_index(classes, "castle")
    assert classes[castle] == "castle"
    assert castle == 483  # ILSVRC 2012
    assert class_index(classes, " Castle ") == castle
    assert class_index(classes, "483") == castle
    assert class_index(entry("lenet5").classes, "7") == 7


def test_a_class_that_there_is_not_is_answered_with_near_names() -> None:
    classes = entry("efficientnet_lite0").classes
    with pytest.raises(SegvizError, match=r"did you mean .*steel arch bridge"):
        class_index(classes, "bridge")
    with pytest.raises(SegvizError, match=r"no class 'castel' among 1,000; did you mean castle\?"):
        class_index(classes, "castel")
    with pytest.raises(SegvizError, match="no class '11' among 10; the classes are 0, 1"):
        class_index(entry("lenet5").classes, "11")
    with pytest.raises(SegvizError, match="no class 'unicorn' among 1,000"):
        class_index(classes, "unicorn")
    with pytest.raises(SegvizError):
        class_index(classes, "1000")


@pytest.mark.parametrize("wanted", ["²", "10", "-1", ""])
def test_what_is_neither_a_class_nor_its_number_is_refused(wanted: str) -> None:
    with pytest.raises(SegvizError, match=r"no class '.*' among 10"):
        class_index(entry("lenet5").classes, wanted)
