"""Dense layers become convolutions with the same weights (lecture T17 to T19)."""

import pytest
import torch
from torch import Tensor, nn

from segviz.core import catalogue
from segviz.core.choices import Pooling
from segviz.core.errors import SegvizError
from segviz.engine.architectures import build
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import first_tensor, trace
from segviz.engine.kernels import Convolution
from segviz.engine.surgery import Conversion, convert


def maps_of(network: nn.Module, made: Conversion, image: Tensor) -> Tensor:
    """What the converted network answers on an image of any size."""
    traced = trace(network, tuple(image.shape[1:]), made.head)
    return finished(run(traced, NetworkWeights(network), image)).output


STEPS = {
    "lenet5": {
        "flatten": ("flatten", "nothing"),
        "c5": ("dense 400 to 120", "convolution 5x5, 16 to 120"),
        "f6": ("dense 120 to 84", "convolution 1x1, 120 to 84"),
        "output": ("dense 84 to 10", "convolution 1x1, 84 to 10"),
    },
    "mtcnn_onet?pooling=floor": {
        "flatten": ("flatten", "nothing"),
        "fc5": ("dense 1152 to 256", "convolution 3x3, 128 to 256"),
        "cls": ("dense 256 to 2", "convolution 1x1, 256 to 2"),
        "box": ("dense 256 to 4", "convolution 1x1, 256 to 4"),
        "landmarks": ("dense 256 to 10", "convolution 1x1, 256 to 10"),
    },
    "alexnet": {
        "avgpool": ("average pooling to 6x6", "nothing"),
        "flatten": ("flatten", "nothing"),
        "classifier.1": ("dense 9216 to 4096", "convolution 6x6, 256 to 4096"),
        "classifier.4": ("dense 4096 to 4096", "convolution 1x1, 4096 to 4096"),
        "classifier.6": ("dense 4096 to 1000", "convolution 1x1, 4096 to 1000"),
    },
    "mtcnn_pnet": {},
    "selfie_general": {},
}
LARGE = ("lenet5", "alexnet", "selfie_general")  # sums of thousands of products, or logits near zero


@pytest.mark.parametrize("spec", STEPS)
def test_every_dense_layer_is_named_and_the_logits_stay(spec):
    entry, network = build(spec)
    made = convert(network, entry.input_size)
    assert {step.layer: (step.before, step.after) for step in made.steps} == STEPS[spec]
    image = torch.rand((1, *entry.input_size), generator=torch.Generator().manual_seed(8)) * 2 - 1
    with torch.inference_mode():
        largest = float(first_tensor(network(image)).abs().max())
    assert made.max_abs_difference < (3e-6 if spec in LARGE else 1e-6) * largest
    assert any(isinstance(module, nn.Linear) for module in network.modules()) == bool(STEPS[spec])


def test_lenet5_on_96x128_answers_on_17x25():
    """oracles: (96 - 32) / 4 + 1 = 17, (128 - 32) / 4 + 1 = 25."""
    entry, network = build("lenet5")
    made = convert(network, entry.input_size)
    assert maps_of(network, made, torch.zeros(1, 1, 96, 128)).shape == (1, 10, 17, 25)


def test_the_sliding_window_is_the_converted_network_to_rounding():
    """oracles: 1.4e-16 for LeNet-5 in float64; every window, not a sample."""
    entry, network = build("lenet5")
    network = network.double()
    made = convert(network, entry.input_size)
    image = torch.rand(1, 1, 56, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        dense = maps_of(network, made, image)[0]
        for row in range(dense.shape[1]):
            for column in range(dense.shape[2]):
                window = image[:, :, row * 4 : row * 4 + 32, column * 4 : column * 4 + 32]
                assert (network(window)[0] - dense[:, row, column]).abs().max() < 1e-13


def test_efficientnet_without_pooling_is_the_class_activation_map():
    """The mean of the map is the classifier's answer (Zhou et al. 2016, equation 2)."""
    entry, network = build("efficientnet_lite0")
    image = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(2)) * 2 - 1
    with torch.inference_mode():
        maps = maps_of(network, convert(network, entry.input_size, Pooling.NONE), image)
        assert maps.shape == (1, 1000, 3, 4)
        assert (maps.mean((2, 3)) - network(image)).abs().max() < 1e-3


def test_efficientnet_with_a_window_of_pooling_answers_once_on_its_native_size():
    entry, network = build("efficientnet_lite0")
    made = convert(network, entry.input_size, Pooling.WINDOW)
    assert {step.layer: step.after for step in made.steps}["pool"] == "average of 7x7, stride 1"
    assert maps_of(network, made, torch.zeros(1, 3, 224, 256)).shape == (1, 1000, 1, 2)


# AlexNet stands for the VGG family, whose layers are of the same kinds and twice as large.
@pytest.mark.parametrize(
    "entry", [e for e in catalogue.ENTRIES if e.trained or e.name == "alexnet"], ids=lambda entry: entry.name
)
def test_conversion_changes_nothing_in_the_original(entry):
    _, network = build(entry.name)
    image = torch.rand(1, *entry.input_size, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        before = first_tensor(network(image)).clone()
        convert(network, entry.input_size)
        assert torch.equal(first_tensor(network(image)), before)


class Fitted(nn.Module):
    """A classifier whose pooling makes maps of any size fit its dense layer, as in AlexNet and VGG."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.conv, self.avgpool, self.flatten = nn.Conv2d(1, 3, 3, 2), nn.AdaptiveAvgPool2d(side), nn.Flatten()
        self.fc = nn.Linear(3 * side**2, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.flatten(self.avgpool(self.conv(x))))


@pytest.mark.parametrize(("side", "step", "grid"), [(4, 2, (3, 5)), (2, 4, (2, 3))])
def test_a_pooling_that_fits_maps_to_the_dense_layers_does_not_squeeze_larger_ones(side, step, grid):
    """It does nothing on the native map of 4x4, or halves it: then it is a sliding average of 2x2."""
    torch.manual_seed(4)
    network = Fitted(side)
    image = torch.rand(1, 1, 13, 17, generator=torch.Generator().manual_seed(5))
    maps = maps_of(network, convert(network, (1, 9, 9)), image)
    assert maps.shape == (1, 5, *grid)
    with torch.inference_mode():
        for row in range(grid[0]):
            for column in range(grid[1]):
                window = image[:, :, step * row : step * row + 9, step * column : step * column + 9]
                assert (network(window)[0] - maps[0, :, row, column]).abs().max() < 1e-6


def test_a_pooling_with_windows_of_different_sizes_cannot_slide():
    with pytest.raises(SegvizError, match=r"layer 'avgpool' cannot become a convolution: .* from 4x4 to 3x3"):
        convert(Fitted(3), (1, 9, 9))


def test_conversion_draws_no_random_numbers():
    network = Fitted(4)
    before = torch.get_rng_state()
    convert(network, (1, 9, 9))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_converted_network_reads_the_original_weights_where_they_lie():
    """No copy, before a run or after it: a dense layer of VGG16 alone is 411 MB."""
    network = Fitted(4)
    weights = NetworkWeights(network)
    places = {name: tensor.data_ptr() for name, tensor in network.named_parameters()}
    traced = trace(network, (1, 13, 17), convert(network, (1, 9, 9), weights=weights).head)
    dense = next(op.kernel for op in traced.operations if op.layer == "fc")
    assert isinstance(dense, Convolution)
    finished(run(traced, weights, torch.rand(1, 1, 13, 17)))
    read = weights.of(traced)
    assert read[dense.weight].data_ptr() == places["fc.weight"]
    assert read[dense.bias].data_ptr() == places["fc.bias"]
    assert {name: tensor.data_ptr() for name, tensor in network.named_parameters()} == places


def test_a_dense_layer_on_something_else_than_a_map_is_refused_by_name():
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x)  # a dense layer along the width

    with pytest.raises(SegvizError, match="layer 'head' cannot become a convolution"):
        convert(Odd(), (1, 4, 8))


def test_a_layer_called_twice_is_replaced_once():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.flatten = nn.Conv2d(1, 3, 3), nn.Flatten()
            self.first, self.again = nn.Linear(12, 5), nn.Linear(5, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.again(self.again(self.first(self.flatten(self.conv(x)))))

    made = convert(Shared(), (1, 4, 4))
    assert [step.layer for step in made.steps] == ["flatten", "first", "again"]


def test_batch_norm_behind_a_dense_layer_goes_along():
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(3 * 4, 5), nn.BatchNorm1d(5), nn.ReLU())
    network[3].running_mean.normal_()
    network.eval()
    image = torch.rand(1, 1, 6, 5, generator=torch.Generator().manual_seed(4))
    maps = maps_of(network, convert(network, (1, 4, 4)), image)
    with torch.inference_mode():
        for row in range(3):
            for column in range(2):
                window = image[:, :, row : row + 4, column : column + 4]
                assert (network(window)[0] - maps[0, :, row, column]).abs().max() < 1e-6


class Functional(nn.Module):
    """A head written as functions, with a normalisation of the vector and two dense layers."""

    def __init__(self, pool: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, stride=2)
        self.norm = nn.LayerNorm(6)
        self.hidden, self.output = nn.Linear(6 if pool else 6 * 9, 6), nn.Linear(6, 4)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        x = x.mean([2, 3]) if self.pool else torch.flatten(x, 1)
        return self.output(self.norm(torch.relu(self.hidden(x))))


@pytest.mark.parametrize("pool", [False, True])
def test_a_head_written_as_functions_is_converted(pool):
    torch.manual_seed(5)
    network = Functional(pool)
    image = torch.rand(1, 1, 15, 11)
    maps = maps_of(network, convert(network, (1, 8, 8), Pooling.WINDOW), image)
    assert maps.shape == (1, 4, 5, 3)  # fields of 7 pixels: one more than there are windows of 8
    with torch.inference_mode():
        for row in range(4):
            for column in range(2):
                window = image[:, :, 2 * row : 2 * row + 8, 2 * column : 2 * column + 8]
                assert (network(window)[0] - maps[0, :, row, column]).abs().max() < 3e-6  # a layer norm magnifies


def test_the_pooling_of_a_gate_stays():
    """Squeeze and excitation: what goes around a global pooling is not its end."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate, self.output = nn.Conv2d(1, 4, 3), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            x = x * self.gate(x.mean((2, 3))).sigmoid()[:, :, None, None]
            return self.output(x.mean((2, 3)))

    torch.manual_seed(6)
    network = Gated()
    made = convert(network, (1, 8, 8))
    assert [step.layer for step in made.steps][-1] == "output"
    image = torch.rand(1, 1, 20, 12)
    with torch.inference_mode():
        assert (maps_of(network, made, image).mean((2, 3)) - network(image)).abs().max() < 1e-6
