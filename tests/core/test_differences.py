"""How two results differ, against the plain definitions."""

from dataclasses import replace

import numpy as np

from segviz.core.differences import difference, differing, largest
from segviz.core.frames import Lattice
from segviz.core.scores import softmax
from tests.core.predictions import prediction


def two():
    random = np.random.default_rng(4)
    logits = random.normal(size=(40, 5, 6)).astype(np.float32)
    return prediction(logits), prediction(logits + random.normal(size=logits.shape).astype(np.float32))


def test_maximum_and_mean_are_of_the_probabilities_of_all_units_and_classes():
    one, other = two()
    apart = np.abs(softmax(one.logits) - softmax(other.logits))
    found = difference(one, other)
    assert np.isclose(found.maximum, apart.max())
    assert np.isclose(found.mean, apart.mean())
    assert np.isclose(found.agreement, (one.labels == other.labels).mean())
    assert 0 < found.agreement < 1


def test_a_result_does_not_differ_from_itself():
    one, _ = two()
    assert difference(one, one).maximum == 0
    assert difference(one, one).agreement == 1
    assert not differing(one, one).any()


def test_classes_agree_by_name_and_their_probabilities_are_then_not_compared():
    one, _ = two()
    turned = replace(one, classes=one.classes[::-1], labels=(39 - one.labels).astype(np.uint8))
    found = difference(one, turned)
    assert (found.agreement, found.maximum, found.reason) == (1, None, "the classes are others")
    strange = replace(one, classes=tuple(f"other {index}" for index in range(40)))
    assert difference(one, strange).agreement == 0


def test_other_grids_and_scores_that_were_let_go_are_said():
    one, other = two()
    moved = replace(other, lattice=Lattice(5, 6, (0.0, 0.0), (8.0, 6.0)))
    assert difference(one, moved).reason == "the grids are others"
    assert difference(one, replace(other, logits=other.logits[:, :0, :0])).reason == "the scores were too large to keep"


def test_names_are_compared_as_ground_truth_compares_them() -> None:
    one, _ = two()
    one = replace(one, classes=("background", "potted-plant"), labels=np.array([[0, 1]], np.uint8))
    other = replace(one, classes=("Potted plant", "Background"), labels=np.array([[1, 0]], np.uint8))
    assert not differing(one, other).any()


def test_the_largest_difference_of_a_unit_is_that_of_its_classes() -> None:
    one, other = two()
    apart = np.abs(softmax(one.logits) - softmax(other.logits))
    assert np.allclose(largest(one, other), apart.max(axis=0))
    assert largest(one, other).max() == difference(one, other).maximum
