"""Classes of ground truth and of networks: by name where both have names, else by index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segviz.core.catalogue import entry
from segviz.core.class_names import VOC_NAMES
from segviz.core.errors import SegvizError
from segviz.core.masks import Mask
from segviz.core.matching import match, matched


def mask(*labels: int) -> Mask:
    return Mask("/data/mask.png", np.array([labels], np.int32))


def test_without_names_the_index_is_the_class() -> None:
    found = match(("a", "b", "c"))
    assert (found.names, found.remarks) == (("a", "b", "c"), ())
    assert matched(mask(2, 0, 1), found).tolist() == [[2, 0, 1]]


def test_names_decide_whatever_their_order() -> None:
    found = match(("Background", "potted-plant", "cat"), ("cat", "background", "potted plant"))
    assert (found.names, found.remarks) == (("Background", "potted-plant", "cat"), ())
    assert matched(mask(0, 1, 2, 255), found).tolist() == [[2, 0, 1, -1]]


def test_names_of_public_data_are_the_same_however_they_are_written() -> None:
    torchvision = ("__background__", "diningtable", "pottedplant", "tvmonitor")
    found = match(torchvision, ("background", "dining table", "potted plant", "tv/monitor"))
    assert (found.table, found.remarks) == ((0, 1, 2, 3), ())
    assert match(entry("fcn32s").classes, VOC_NAMES).remarks == ()


def test_a_class_that_only_one_side_has_is_said_and_kept() -> None:
    found = match(("paper", "ink"), ("ink", "stain"))
    assert found.names == ("paper", "ink", "stain")
    assert matched(mask(0, 1), found).tolist() == [[1, 2]]
    assert "no class stain: their pixels count as missed" in found.remarks[0]
    assert "no class paper: such labels count as wrong" in found.remarks[1]


def test_names_without_one_in_common_are_not_believed_and_that_is_said() -> None:
    found = match(("0", "1"), ("zero", "one", "two"))
    assert (found.table, found.names) == (None, ("0", "1", "two"))
    assert "matched by index" in found.remarks[0]
    assert "no class two" in found.remarks[0]


def test_classes_of_something_else_are_refused_with_the_remedy() -> None:
    """A thousand classes of photographs against the seven of a scene: an index would call the background a tench."""
    with pytest.raises(SegvizError, match=r"none of the 3 classes .* \(sky, sea, sand\).* 1,000: choose a network"):
        match(tuple(f"thing {number}" for number in range(1000)), ("sky", "sea", "sand"))


def test_many_lacking_names_are_counted_not_listed() -> None:
    found = match(tuple(str(i) for i in range(1000)), ("7",))
    assert "0, 1, 2, 3 and 995 more" in found.remarks[0]


def test_255_is_ignored_unless_it_is_a_class_or_another_label_is_named() -> None:
    few, many = match(("a", "b", "c")), match(tuple(str(i) for i in range(300)))
    assert matched(mask(1, 255), few).tolist() == [[1, -1]]
    assert matched(mask(1, 255), many).tolist() == [[1, 255]]
    assert matched(mask(1, 0), few, ignored=0).tolist() == [[1, -1]]
    with pytest.raises(SegvizError, match=r"mask\.png: .*label 255.*classes are 0 to 2"):
        matched(mask(1, 255), few, ignored=0)


def test_black_and_white_is_for_two_classes() -> None:
    two = match(("background", "face"))
    assert matched(mask(0, 255), two).tolist() == [[0, 1]]
    assert matched(mask(0, 1, 255), two).tolist() == [[0, 1, -1]]
    named = match(("cell", "background"), ("background", "cell"))  # of a folder with its classes.txt
    assert matched(mask(0, 255), named).tolist() == [[1, 0]]


def test_a_collection_says_what_a_mask_alone_cannot() -> None:
    two, border = match(("background", "face")), mask(0, 255)
    assert matched(replace(border, black_and_white=False), two).tolist() == [[0, -1]]
    assert matched(replace(border, black_and_white=True), two).tolist() == [[0, 1]]
    assert matched(replace(border, black_and_white=True), match(("a", "b", "c"))).tolist() == [[0, -1]]


@pytest.mark.parametrize("label", [3, 70_000])
def test_a_label_that_is_no_class_names_the_file(label: int) -> None:
    with pytest.raises(SegvizError, match=rf"mask\.png: .*label {label}"):
        matched(mask(0, label), match(("a", "b", "c")))
