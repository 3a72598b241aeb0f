"""Tensors into a network: what fits, what is told, and that a refusal changes nothing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segviz.core import assets
from segviz.core.errors import SegvizError
from segviz.engine.checkpoints import read_tensors
from segviz.engine.safetensor import Header
from segviz.engine.weights import channels_first, fit, headers_of, load_into
from segviz.models.mtcnn import PNet

PNET = assets.weights("mtcnn_pnet.safetensors")


def tensors_of_pnet() -> dict[str, torch.Tensor]:
    return read_tensors(PNET)


def refusal(tensors: dict[str, torch.Tensor]) -> SegvizError:
    torch.manual_seed(0)
    network = PNet()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(SegvizError) as caught:
        load_into(network, tensors, "net.safetensors", "MTCNN P-Net")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    return caught.value


def test_missing_tensors_are_named_with_their_shape() -> None:
    tensors = tensors_of_pnet()
    del tensors["cls.weight"]
    assert str(refusal(tensors)) == (
        "net.safetensors: these are not the weights of MTCNN P-Net: missing 'cls.weight' (2x32x1x1)"
    )


def test_tensors_left_over_are_named() -> None:
    assert "unexpected 'extra' (3)" in str(refusal({**tensors_of_pnet(), "extra": torch.zeros(3)}))


def test_tensors_of_another_shape_are_named_with_both() -> None:
    message = str(refusal({**tensors_of_pnet(), "cls.weight": torch.zeros(2, 32)}))  # as many numbers, as a dense layer
    assert "'cls.weight' (shape 2x32, wanted 2x32x1x1)" in message


def test_whole_numbers_are_not_weights() -> None:
    message = str(refusal({**tensors_of_pnet(), "conv1.bias": torch.zeros(10, dtype=torch.int32)}))
    assert "'conv1.bias' (int32, wanted float32)" in message


def test_long_lists_are_shortened_and_kept_in_the_details() -> None:
    error = refusal(read_tensors(assets.weights("mtcnn_onet.safetensors")))
    assert "more" in str(error)
    assert "'landmarks.weight' (10x256)" in error.details
    assert "'cls.weight' (shape 2x256, wanted 2x32x1x1)" in error.details


# ---------------------------------------------------------------------------------------- load report


def loaded(tensors: dict[str, torch.Tensor]) -> tuple[PNet, tuple[str, ...]]:
    network = PNet()
    return network, load_into(network, tensors, "net.pth", "MTCNN P-Net", strict=False)


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "module.model.", "net.module."])
def test_prefixes_are_looked_through_and_told(prefix: str) -> None:
    tensors = tensors_of_pnet()
    network, notes = loaded({prefix + name: tensor for name, tensor in tensors.items()})
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in tensors.items())
    assert notes == (f"the prefix '{prefix}' was taken off the names of the tensors",)


def test_what_lies_beside_a_prefix_is_left_out_and_told() -> None:
    tensors = {"model." + name: tensor for name, tensor in tensors_of_pnet().items()}
    _, notes = loaded({**tensors, "criterion.weight": torch.ones(2)})
    assert notes[1] == "1 unexpected tensor was left out: 'criterion.weight' (2)"


def test_a_prefix_of_half_of_the_names_is_no_prefix() -> None:
    halved = {("module." if i % 2 else "") + name: t for i, (name, t) in enumerate(tensors_of_pnet().items())}
    with pytest.raises(SegvizError, match="missing"):
        loaded(halved)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2], ids=str
)
def test_every_precision_becomes_float32_and_says_so(dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in tensors_of_pnet().items()}
    network, notes = loaded(tensors)
    assert all(torch.equal(network.state_dict()[name], tensor.float()) for name, tensor in tensors.items())
    assert notes == (f"numbers of type {str(dtype)[6:]} were converted to float32",)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64], ids=str)
def test_numbers_of_another_kind_are_refused(dtype: torch.dtype) -> None:
    assert "other dtype:" in str(refusal({name: tensor.to(dtype) for name, tensor in tensors_of_pnet().items()}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_told(value: float) -> None:
    tensors = tensors_of_pnet()
    tensors["conv1.bias"][3] = value
    assert loaded(tensors)[1] == ("not finite (NaN or infinite) numbers are in 'conv1.bias'",)


def test_a_negative_variance_is_told() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2))
    tensors = {**network.state_dict(), "0.running_var": torch.tensor([1.0, -1.0])}
    notes = load_into(network, tensors, "net.pth", "a network")
    assert notes == ("a variance is negative, so that answers are not finite: '0.running_var'",)


def test_counters_of_batch_normalisation_may_be_missing() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2))
    tensors = {name: own for name, own in network.state_dict().items() if not name.endswith("tracked")}
    assert load_into(network, tensors, "net.pth", "a network") == ()
    assert network.state_dict()["0.num_batches_tracked"] == 0


def test_a_view_does_not_keep_a_large_storage_alive() -> None:
    tensors = {**tensors_of_pnet(), "conv1.bias": torch.zeros(50_000)[:10]}
    network, _ = loaded(tensors)
    assert network.get_parameter("conv1.bias").untyped_storage().nbytes() == 40


def test_two_names_of_one_tensor_share_nothing_afterwards() -> None:
    one = torch.zeros(32 * 3)
    network = nn.ModuleDict({"a": nn.Linear(3, 32, bias=False), "b": nn.Linear(3, 32, bias=False)})
    load_into(network, {"a.weight": one.view(32, 3), "b.weight": one.view(32, 3)}, "net.pth", "a network")
    assert all(parameter.requires_grad for parameter in network.parameters())
    with torch.no_grad():
        network["a"].weight.fill_(1)
    assert network["b"].weight.abs().sum() == 0


@settings(max_examples=40)
@given(st.sets(st.sampled_from(sorted(headers_of(PNet()))), max_size=6), st.integers(0, 3))
def test_a_report_counts_every_tensor_once(left_out: set[str], more: int) -> None:
    wanted = headers_of(PNet())
    had = {name: own for name, own in wanted.items() if name not in left_out}
    had |= {f"extra.{number}": Header((1,), torch.float32) for number in range(more)}
    found = fit(wanted, had)
    assert found.wanted == len(wanted)
    assert len(found.names) + len(found.missing) == len(wanted)
    assert len(found.unexpected) == more
    assert found.complete == (not left_out)
    assert 0 <= found.share <= 1
    assert len(found.report.splitlines()) == 1 + len(left_out) + more


def test_dense_layers_that_were_saved_as_convolutions_are_dense_again() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(5 * 3 * 4, 2))
    kernel = torch.rand(2, 5, 3, 4)
    notes = load_into(network, {"1.weight": kernel, "1.bias": torch.zeros(2)}, "net.pth", "a network")
    assert notes == ("dense layers that were saved as convolutions were laid flat: '1.weight'",)
    image = torch.rand(1, 5, 3, 4)
    assert torch.allclose(network(image), nn.functional.conv2d(image, kernel).flatten(1), rtol=0, atol=1e-5)


# ------------------------------------------------------------------------------------------ flatten=hwc


class Flattening(nn.Module):
    """Maps of 3 x 4 units laid flat before a dense layer: in (C, H, W) order, or in (H, W, C)."""

    def __init__(self, last: bool) -> None:
        super().__init__()
        self.maps, self.hidden, self.out = nn.Conv2d(1, 5, 3), nn.Linear(60, 12), nn.Linear(12, 2)
        self.last = last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.maps(x)  # (N, 5, 3, 4)
        flat = maps.permute(0, 2, 3, 1) if self.last else maps
        logits: torch.Tensor = self.out(self.hidden(flat.flatten(1)))
        return logits


def test_dense_layers_flattened_by_place_give_the_same_answers_reordered() -> None:
    torch.manual_seed(0)
    theirs, ours = Flattening(last=True).double(), Flattening(last=False).double()
    skeleton = Flattening(last=False).to("meta")
    tensors, said = channels_first(skeleton, theirs.state_dict(), (1, 5, 6))
    assert said == "dense layers flattened in (H, W, C) order were reordered: hidden"
    ours.load_state_dict(tensors)
    images = torch.rand(4, 1, 5, 6, dtype=torch.float64)
    assert torch.allclose(ours(images), theirs(images), rtol=0, atol=1e-14)
    assert torch.equal(tensors["out.weight"], theirs.out.weight)


def test_without_a_dense_layer_behind_a_map_there_is_nothing_to_reorder() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3)).to("meta")
    with pytest.raises(SegvizError, match="flatten=hwc: no dense layer"):
        channels_first(network, {}, (1, 5, 5))
