"""Labels by tiles equal the plain argmax of upsampled logits, whatever the tiles leave out."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segviz.core import direct
from segviz.core.choices import Upsampling
from segviz.core.frames import Lattice
from segviz.core.resample import upsample
from segviz.core.scores import softmax
from segviz.engine import labels


def ended(generator):
    """The value that a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def plain(logits, lattice, how, height, width):
    """Classes x height x width, as the engine must never do it."""
    scores = np.stack([upsample(plane, lattice, how, height, width) for plane in logits])
    chances = np.stack([upsample(plane, lattice, how, height, width) for plane in softmax(logits)])
    best = scores.argmax(0)
    return best, np.take_along_axis(chances, best[None], 0)[0], scores


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(Upsampling)),
    st.sampled_from([(3, 4), (1, 1), (7, 2)]),
    st.sampled_from([1, 2, 8, 21.3]),
)
def test_tiles_change_no_label(seed, how, grid, stride):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(40, *grid)).astype(np.float32) * 3
    height, width = 70, 61
    lattice = Lattice(*grid, (stride / 2, -stride / 3), (stride, stride))
    found = ended(labels.interpolated(logits, lattice, how, height, width))
    best, chances, scores = plain(logits, lattice, how, height, width)
    top = np.sort(scores, 0)
    clear = top[-1] - top[-2] > 1e-4  # where rounding cannot decide
    assert (found.labels == best)[clear].all()
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    inside = within(rows, lattice.start[1], stride, grid[0]) & within(columns, lattice.start[0], stride, grid[1])
    assert np.abs(found.confidence / 255 - np.clip(chances, 0, 1))[clear & inside].max(initial=0) < 0.003
    assert found.confidence[~inside].max(initial=0) == 0  # no unit answers there


def within(pixels, start, stride, size):
    """Whether pixels lie in the cells of units 0..size-1."""
    return (pixels >= start - stride / 2) & (pixels <= start + (size - 0.5) * stride)


def test_pixels_that_nothing_reaches_get_the_first_class_in_every_tile():
    """As the values under the cursor say (all equal), not whatever class a tile happens to keep."""
    logits = np.zeros((9, 40, 40), np.float32)
    logits[5, :20], logits[7, 20:] = 9, 9
    lattice = Lattice(40, 40, (15.5, 15.5), (4, 4))
    found = ended(labels.interpolated(logits, lattice, Upsampling.TRANSPOSED, 192, 192))
    best, _, _ = plain(logits, lattice, Upsampling.TRANSPOSED, 192, 192)
    assert np.array_equal(found.labels, best)
    assert (found.labels[:11] == 0).all()
    assert (found.labels[15:90, 15:170] == 5).all()
    assert found.confidence[:11].max() == 0


def test_a_thousand_classes_are_uint16_and_few_are_uint8():
    assert direct.blank(1000, 2, 3).labels.dtype == np.uint16
    assert direct.blank(256, 2, 3).labels.dtype == np.uint8


def test_the_classes_that_cannot_win_are_left_out():
    logits = np.zeros((1000, 2, 2), np.float32)
    logits[17] = 5
    logits[18, 0, 0] = 5
    assert labels._unbeaten(logits.reshape(1000, -1)).tolist() == [17, 18]


def test_direct_gives_the_surest_label_to_the_whole_field():
    """Two units whose fields overlap: the surer one owns the overlap (lecture T20)."""
    logits = np.array([[[0.0, 4.0]], [[1.0, 0.0]]], np.float32)  # (2 classes, 1, 2)
    found = ended(direct.direct(logits, [(0, 2)], [(0, 6), (4, 9)], 3, 10))
    assert found.labels[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert found.confidence[0, 4] == round(255 / (1 + np.exp(-4)))
    assert found.confidence[2].tolist() == [0] * 10


def test_direct_tells_near_ties_apart_and_gives_ties_to_the_lower_index():
    """Both confidences are 255; the first unit is the surer one all the same."""
    surer = np.array([[[9.0, 0.0]], [[0.0, 8.5]]], np.float32)
    for logits, owner in ((surer, 0), (surer[::-1, :, ::-1], 1), (np.array([[[9.0, 0]], [[0, 9.0]]], np.float32), 0)):
        found = ended(direct.direct(logits, [(0, 2)], [(0, 6), (4, 9)], 2, 9))
        assert found.labels[0].tolist() == [0] * (4 if owner else 6) + [1] * (5 if owner else 3)
        assert (found.confidence == 255).all()


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_direct_is_the_surest_field_that_covers_a_pixel(seed, tied):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(3, 4, 5)).astype(np.float32) * (0 if tied else 12)
    down, across = [(2 * r, 2 * r + 6) for r in range(4)], [(3 * c, min(15, 3 * c + 7)) for c in range(5)]
    found = ended(direct.direct(logits, down, across, 12, 15))
    chance, winner = softmax(logits).max(0).ravel(), logits.argmax(0).ravel()
    for y in range(12):
        for x in range(15):
            over = [
                r * 5 + c
                for r, (top, bottom) in enumerate(down)
                for c, (left, right) in enumerate(across)
                if top <= y < bottom and left <= x < right
            ]
            surest = max(over, key=lambda unit: (chance[unit], -unit))
            assert found.labels[y, x] == winner[surest]
