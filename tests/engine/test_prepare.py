"""From a picture to what a network takes, by hand-made pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segviz.core import catalogue
from segviz.core.entries import Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.frames import Frame
from segviz.engine.prepare import check_channels, check_multiple, frame_of, notes_of, tensor_of

LENET = catalogue.entry("lenet5")
SELFIE = catalogue.entry("selfie_general")
EFFICIENTNET = catalogue.entry("efficientnet_lite0")
AS_IT_IS = Frame((1, 1), (1, 1), (1, 1))
GREY_IN_FOUR = Preprocessing("L", (0.0,) * 4, (255.0,) * 4)
COLOUR = np.array([[[10, 20, 40]]], np.uint8)


@pytest.mark.parametrize(
    ("channels", "values"),
    [("RGB", [10, 20, 40]), ("BGR", [40, 20, 10]), ("L", [0.299 * 10 + 0.587 * 20 + 0.114 * 40])],
)
def test_channels_come_in_the_order_of_the_training(channels, values):
    found = tensor_of(COLOUR, Preprocessing(channels, (0.0,), (1.0,)), AS_IT_IS)
    assert found.shape == (1, len(values), 1, 1)
    assert found.flatten().tolist() == pytest.approx(values)


def test_each_channel_has_its_own_mean_and_deviation():
    found = tensor_of(COLOUR, Preprocessing("RGB", (10.0, 10.0, 0.0), (1.0, 2.0, 4.0)), AS_IT_IS)
    assert found.flatten().tolist() == [0, 5, 10]


def test_padding_repeats_the_last_row_and_column(f_shape):
    height, width = f_shape.shape[:2]
    frame = Frame((height, width), (height, width), (height + 3, width + 5))
    found = tensor_of(f_shape, Preprocessing("RGB", (0.0,), (1.0,)), frame)[0]
    assert np.array_equal(found[:, :height, :width].permute(1, 2, 0).numpy(), f_shape)
    bright = np.full((2, 2, 3), 200, np.uint8)
    padded = tensor_of(bright, Preprocessing("RGB", (0.0,), (1.0,)), Frame((2, 2), (2, 2), (4, 5)))
    assert torch.equal(padded, torch.full((1, 3, 4, 5), 200.0))


def test_the_frame_grows_to_the_window_and_to_the_multiple():
    assert frame_of(LENET, (20, 50), None, (32, 32)) == Frame((20, 50), (20, 50), (32, 50))
    assert frame_of(SELFIE, (256, 250), None, (16, 16)) == Frame((256, 250), (256, 250), (256, 256))


UNET = catalogue.entry("unet")


def test_an_image_lies_in_the_middle_of_what_a_network_with_a_border_sees(f_shape):
    frame = frame_of(UNET, (128, 512), None, (1, 1))
    assert frame == Frame((128, 512), (64, 256), (252, 444), (92, 92))
    assert frame_of(UNET, (256, 20), None, (1, 1)) == Frame((256, 20), (256, 20), (444, 204), (92, 92))
    height, width = f_shape.shape[:2]
    around = Frame((height, width), (height, width), (height + 5, width + 7), (2, 3))
    found = tensor_of(f_shape, Preprocessing("RGB", (0.0,), (1.0,)), around)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(found, np.pad(f_shape, ((2, 3), (3, 4), (0, 0)), mode="reflect"))


def test_sizes_that_a_network_with_a_border_does_not_take_are_named():
    check_multiple(UNET, 572, 188)
    with pytest.raises(SegvizError, match="multiples of 16, plus 12: 512x512 is not one, pad to 524x524"):
        check_multiple(UNET, 512, 512)
    with pytest.raises(SegvizError, match="100x100 is not one, pad to 188x188"):
        check_multiple(UNET, 100, 100)


def test_random_weights_are_said_before_what_was_done_to_the_image():
    note, padded = notes_of(catalogue.entry("vgg16"), Frame((9, 9), (9, 9), (224, 224)))
    assert note == "VGG16 has random weights: its labels mean nothing, its speed and geometry do"
    assert "padded to 224x224" in padded
    assert notes_of(LENET, AS_IT_IS) == ()


def test_the_recommended_scale_shrinks_and_never_enlarges():
    assert frame_of(EFFICIENTNET, (512, 1024), None, (1, 1)).inner == (256, 512)
    assert frame_of(EFFICIENTNET, (30, 40), None, (1, 1)).inner == (30, 40)
    assert frame_of(EFFICIENTNET, (30, 40), 2.0, (1, 1)).inner == (60, 80)
    assert frame_of(replace(EFFICIENTNET, longest_side=None), (512, 1024), None, (1, 1)).inner == (512, 1024)


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.019, 8.1, float("nan")])
def test_a_scale_beyond_the_limits_is_named(scale):
    with pytest.raises(SegvizError, match=r"the scale is .*; it goes from 0\.02 to 8"):
        frame_of(LENET, (32, 32), scale, (32, 32))


def test_notes_say_why_it_was_padded():
    assert notes_of(LENET, Frame((40, 40), (40, 40), (40, 40))) == ()
    assert notes_of(LENET, Frame((20, 50), (20, 50), (32, 50))) == (
        "20x50 is smaller than the network's window and was padded to 32x50",
    )
    assert notes_of(SELFIE, Frame((256, 250), (256, 250), (256, 256))) == (
        "256x250 was padded to 256x256, multiples of 16; the margin is cut off again",
    )


@pytest.mark.parametrize(
    ("channels", "size", "words"),
    [
        ("RGB", (4, 32, 32), "wants 4 channels, the image has 3 .RGB.: channels=L gives it .* the same in all 4"),
        ("RGB", (1, 32, 32), "wants 1 channel, the image has 3 .RGB.: channels=L gives it the image in grey$"),
        ("L", (4, 32, 32), "wants 4 channels, the image has 1 .L."),
    ],
)
def test_an_image_of_other_channels_is_refused_with_both_numbers(channels, size, words):
    with pytest.raises(SegvizError, match=words):
        check_channels(replace(LENET, input_size=size, preprocessing=Preprocessing(channels)))


@pytest.mark.parametrize("entry", [LENET, SELFIE, replace(LENET, input_size=(4, 8, 8), preprocessing=GREY_IN_FOUR)])
def test_an_image_of_the_right_channels_goes_in(entry):
    check_channels(entry)
    planes = tensor_of(COLOUR, entry.preprocessing, AS_IT_IS).shape[1]
    assert planes == entry.input_size[0] == entry.preprocessing.planes
