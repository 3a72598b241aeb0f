"""What-if answers against the network that really is built in that way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core import catalogue
from segviz.core.choices import Task
from segviz.core.errors import SegvizError
from segviz.core.field import Field, Geometry
from segviz.core.frames import Frame
from segviz.core.paddings import Margins, PaddingFinder, PaddingRule
from segviz.core.requests import DescribeRequest, Network, Setup
from segviz.core.what_if import Edit, EditRefused, editable, edited, padding_for_size
from segviz.engine.architectures import skeleton
from segviz.engine.graph import describe_layers, trace
from segviz.engine.support import Unit, supports
from segviz.models.layers import SameConv2d

SIDE = 64


def described(module: nn.Module, shape: tuple[int, int, int] = (3, SIDE, SIDE)) -> Network:
    traced = trace(module.eval(), shape)
    layers, entry = describe_layers(traced), catalogue.entry("lenet5")
    total = sum(p.numel() for p in module.parameters())
    return Network(
        DescribeRequest(Setup("lenet5")), "", Task.CLASSIFICATION, (), shape, layers, total, total, traced.macs,
        traced.geometry, Frame(shape[1:], shape[1:], shape[1:]), entry=entry, brought=entry,
    )  # fmt: skip


class Skips(nn.Module):
    """Two levels: a residual block, a strided one, a transposed convolution back, and both levels in a sum."""

    def __init__(self, **edits: Edit) -> None:
        super().__init__()
        self.stem = conv(3, 4, edits.get("stem", Edit((3, 3), padding=(1, 1))))
        self.pool = nn.MaxPool2d(**window(edits.get("pool", Edit((3, 3), (2, 2), padding=(1, 1)))), ceil_mode=True)
        self.body = nn.Sequential(
            nn.BatchNorm2d(4), nn.ReLU(), conv(4, 4, edits.get("body.2", Edit((3, 3), padding=(1, 1))))
        )
        self.down = conv(4, 8, edits.get("down", Edit((3, 3), (2, 2), padding=(1, 1))), bias=False)
        self.up = nn.ConvTranspose2d(8, 4, 2, 2)
        self.wider = nn.Upsample(scale_factor=2, mode="bilinear")
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.stem(x))
        x = x + self.body(x)
        x = self.wider(self.up(self.down(x)))
        out: Tensor = self.head(self.gap(x).flatten(1))
        return out


def conv(below: int, maps: int, edit: Edit, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(below, maps, edit.kernel, edit.stride, edit.padding, edit.dilation, bias=bias)


def window(edit: Edit) -> dict[str, object]:
    return {"kernel_size": edit.kernel, "stride": edit.stride, "padding": edit.padding, "dilation": edit.dilation}


def test_what_can_be_edited_is_what_slides() -> None:
    assert list(editable(described(Skips()))) == ["stem", "pool", "body.2", "down"]
    assert editable(described(Skips()))["pool"] == Edit((3, 3), (2, 2), (1, 1), (1, 1))


def test_without_edits_all_is_as_it_was() -> None:
    network = described(Skips())
    found = edited(network, {})
    assert (found.layers, found.changed, found.macs) == (network.layers, (), network.macs)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(["stem", "pool", "down"]), kernel=pairs(2, 5), stride=pairs(1, 3), dilation=pairs(1, 2),
       padding=pairs(0, 3))  # fmt: skip
@example("pool", (3, 3), (2, 2), (1, 1), (2, 1))
@example("pool", (3, 3), (2, 2), (1, 2), (1, 2))
@example("pool", (2, 5), (2, 2), (1, 1), (1, 2))
def test_an_edit_is_the_network_built_in_that_way(
    name: str, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], padding: tuple[int, int]
) -> None:
    edit = Edit(kernel, stride, dilation, padding)
    try:
        wanted = described(Skips(**{name: edit}))
    except SegvizError:  # what torch does not run is refused here, for whatever reason
        with pytest.raises(EditRefused):
            edited(described(Skips()), {name: edit})
        return
    found = edited(described(Skips()), {name: edit})
    assert found.layers == wanted.layers
    assert found.geometry == wanted.geometry
    assert found.macs == wanted.macs


def test_two_edits_at_once_and_what_they_change() -> None:
    edits = {"stem": Edit((5, 5), (2, 2), padding=(2, 2)), "down": Edit((3, 3), (1, 1), (2, 2), (2, 2))}
    found, wanted = edited(described(Skips()), edits), described(Skips(**edits))
    assert found.layers == wanted.layers
    assert found.changed[0] == "stem"
    head, before = found.layer("head"), described(Skips()).layer("head")
    assert head is not None
    assert before is not None
    assert (head.output_shape, head.macs) == (before.output_shape, before.macs)  # behind a global average


class Last(nn.Module):
    """A dense layer on maps in (N, H, W, C), as ConvNeXt and Swin have it."""

    def __init__(self, stem: Edit) -> None:
        super().__init__()
        self.stem, self.wide = conv(3, 4, stem), nn.Linear(4, 7)

    def forward(self, x: Tensor) -> Tensor:
        wide: Tensor = self.wide(self.stem(x).permute(0, 2, 3, 1))
        return wide.permute(0, 3, 1, 2).relu()


def test_channels_last_stay_last() -> None:
    was, now = Edit((3, 3), (2, 2)), Edit((5, 3), (3, 2))
    found, wanted = edited(described(Last(was)), {"stem": now}), described(Last(now))
    assert found.layers == wanted.layers
    layer = found.layer("wide")
    assert layer is not None
    assert (layer.output_shape, layer.maps) == ((20, 31, 7), (7, 20, 31))


@pytest.mark.parametrize("edit", [Edit((3, 3), (1, 1), (2, 2), (2, 2)), Edit((5, 5), (1, 1), (1, 1), (2, 2))])
def test_vgg16_with_another_first_layer_of_its_last_block(edit: Edit) -> None:
    """The size stays, so that its dense layers do: the field of a dense unit grows by 2 x 16 pixels from 404."""
    module = skeleton(catalogue.entry("vgg16"))
    network = described(module, (3, 224, 224))
    name = [name for name in editable(network) if network.geometry.grid(name) == (14, 14)][-2]
    before = {layer.name: layer for layer in network.layers}
    found = edited(network, {name: edit})
    last = [layer for layer in found.layers if layer.leaf and layer.size][-1]
    assert last.size == tuple(side + 32 for side in before[last.name].size or ())


def test_a_dense_layer_behind_refuses_maps_of_another_size() -> None:
    network = described(skeleton(catalogue.entry("lenet5")), (1, 32, 32))
    with pytest.raises(SegvizError, match=r"layer 'flatten'.*5 units a side"):
        edited(network, {"c1": Edit((5, 5), padding=(2, 2))})


def test_a_crop_to_another_map_refuses_maps_of_another_size() -> None:
    network = described(skeleton(catalogue.entry("unet")), (1, 188, 188))
    with pytest.raises(SegvizError, match=r"joined\.0\.0.*8x8 and 12x12"):
        edited(network, {"bottom.0": Edit((3, 3), padding=(1, 1))})


def test_a_cut_refuses_maps_of_another_size() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x)[:, :, 2:60, 2:60].relu()

    with pytest.raises(SegvizError, match="cuts maps of 64 units a side to a size that was counted for them"):
        edited(described(Cut()), {"conv": Edit((3, 3))})


class TwoPaths(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(self.left(x), self.right(x))


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("left", Edit((3, 3)), "maps of different sizes: 62x62 and 64x64"),
        ("left", Edit((70, 70)), "a window of 70 units does not fit into 64"),
        ("left", Edit((3, 3), (0, 1)), "a stride of 0"),
        ("left", Edit((3, 3), padding=(-1, 0)), "a padding of -1; it is a whole number from 0 to 16,384"),
        ("left", Edit((20_000, 3)), "a kernel of 20000; it is a whole number from 1 to 16,384"),
        ("output", Edit((3, 3)), "slides no window"),
        ("middle", Edit((3, 3)), "no layer 'middle'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(name: str, edit: Edit, said: str) -> None:
    with pytest.raises(SegvizError, match=said):
        edited(described(TwoPaths()), {name: edit})


@pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])
def test_a_pooling_is_padded_by_at_most_half_its_kernel(kind: type[nn.Module]) -> None:
    """So is it in torch, which says "pad should be at most half of effective kernel size"."""
    network = described(nn.Sequential(nn.Conv2d(3, 2, 1), kind(3, 2)))
    edit = Edit((3, 5), (2, 2), padding=(1, 2))
    assert edited(network, {"1": edit}).changed
    with pytest.raises(EditRefused, match=r"layer '1': a padding of 3 is more than half.* at most 2") as refused:
        edited(network, {"1": replace(edit, padding=(1, 3))})
    assert refused.value.layer == "1"


def test_a_refusal_has_the_layer_that_cannot_be() -> None:
    network = described(TwoPaths())
    with pytest.raises(EditRefused) as behind:
        edited(network, {"left": Edit((3, 3))})
    assert behind.value.layer != "left"
    assert f"layer '{behind.value.layer}'" in str(behind.value)
    with pytest.raises(EditRefused) as here:
        edited(network, {"left": Edit((70, 70))})
    assert here.value.layer == "left"


@pytest.mark.parametrize(
    ("was", "edit", "padding"),
    [
        (Edit((3, 3), padding=(1, 1)), Edit((5, 5), padding=(1, 1)), (2, 2)),
        (Edit((3, 3), padding=(1, 1)), Edit((3, 7), padding=(1, 1)), (1, 3)),
        (Edit((3, 3), padding=(1, 1)), Edit((3, 3), dilation=(2, 2), padding=(1, 1)), (2, 2)),
        (Edit((3, 3), padding=(1, 1)), Edit((4, 4), padding=(1, 1)), None),
        (Edit((3, 3), padding=(1, 1)), Edit((3, 3), (2, 2), padding=(1, 1)), None),
        (Edit((3, 3)), Edit((1, 1)), None),
    ],
)
def test_the_padding_that_keeps_the_size(was: Edit, edit: Edit, padding: tuple[int, int] | None) -> None:
    """Dumoulin and Visin 2016, relationship 3: half padding keeps sizes under odd kernels."""
    assert padding_for_size(was, edit) == padding


def test_each_place_is_walked_once_and_layers_that_nothing_moves_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind an upsampling 32 units are looked at, of a grid of one the one that there is."""
    walks: list[tuple[str, int, int]] = []
    plainly = Geometry.field

    def counted(self: Geometry, layer: str, row: int, column: int) -> Field:
        walks.append((layer, row, column))
        return plainly(self, layer, row, column)

    network = described(Skips())
    paths = described(TwoPaths())
    monkeypatch.setattr(Geometry, "field", counted)
    edited(network, {"stem": Edit((5, 5), padding=(2, 2))})
    assert len(walks) == len(set(walks))
    walks.clear()
    edited(paths, {"right": Edit((3, 3), padding=(1, 1))})
    assert "left" not in {layer for layer, _, _ in walks}
    walks.clear()
    edited(paths, {"left": Edit((5, 5), padding=(2, 2))})
    assert "right" not in {layer for layer, _, _ in walks}


# ------------------------------------------------------------------------------------------- same


STEM, BODY, DOWN = (
    Edit((3, 3), (2, 2), padding=PaddingRule.SAME),
    Edit((3, 3), padding=PaddingRule.SAME),
    Edit((5, 5), (2, 2), padding=PaddingRule.SAME),
)


class Same(nn.Module):
    """Layers that pad by TensorFlow's rule, the strided ones on even sizes more behind than in front."""

    def __init__(self, **edits: Edit) -> None:
        super().__init__()
        self.stem = same(3, 4, edits.get("stem", STEM))
        self.body = nn.Sequential(same(4, 4, edits.get("body.0", BODY)), nn.ReLU())
        self.down = same(4, 8, edits.get("down", DOWN))
        self.gap, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(self.body(self.stem(x)))
        out: Tensor = self.head(self.gap(x).flatten(1))
        return out


def same(below: int, maps: int, edit: Edit) -> nn.Conv2d:
    if not isinstance(edit.padding, PaddingRule):
        return conv(below, maps, edit)
    return SameConv2d(below, maps, edit.kernel, edit.stride, 0, edit.dilation)


def test_what_pads_by_the_rule_says_so_and_how_much() -> None:
    network = described(Same(), (3, 62, 65))
    assert editable(network) == {"stem": STEM, "body.0": BODY, "down": DOWN}
    paddings = PaddingFinder(network.geometry)
    assert paddings.around("stem") == Margins(top=0, bottom=1, left=1, right=1)
    assert paddings.around("body.0") == Margins(1, 1, 1, 1)
    assert paddings.around("down") == Margins(2, 2, 2, 2)
    assert editable(described(Skips()))["stem"].padding == (1, 1)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(40, 47), st.integers(40, 47)),
    name=st.sampled_from(["stem", "body.0", "down"]),
    kernel=pairs(1, 6),
    stride=pairs(1, 3),
    dilation=pairs(1, 2),
    padding=st.just(PaddingRule.SAME) | pairs(0, 2),
)
@example((64, 64), "stem", (3, 3), (1, 1), (1, 1), PaddingRule.SAME)
@example((64, 64), "stem", (3, 3), (2, 2), (1, 1), (0, 0))
@example((64, 64), "stem", (7, 7), (2, 2), (1, 1), PaddingRule.SAME)
def test_an_edit_of_a_layer_that_pads_by_the_rule_is_the_network_built_in_that_way(
    size: tuple[int, int],
    name: str,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int] | PaddingRule,
) -> None:
    """Sizes, costs and facts of all layers, and the fields of the units in corners and between."""
    edit = Edit(kernel, stride, dilation, padding)
    wanted, network = described(Same(**{name: edit}), (3, *size)), described(Same(), (3, *size))
    found = edited(network, {name: edit})
    assert [replace(layer, type="") for layer in found.layers] == [replace(layer, type="") for layer in wanted.layers]
    for layer in ("stem", "body.0", "down"):
        rows, columns = wanted.geometry.grid(layer)
        for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)):
            field, real = found.geometry.field(layer, row, column), wanted.geometry.field(layer, row, column)
            assert (field.box, field.status, field.blind) == (real.box, real.status, real.blind)


@pytest.mark.parametrize(
    "edit", [replace(STEM, stride=(1, 1)), replace(STEM, kernel=(4, 6)), replace(STEM, padding=(0, 0))]
)
def test_fields_behind_the_rule_are_what_gradients_reach(edit: Edit) -> None:
    """The support of gradients in the network that is built with the edit, of every third unit of its last map."""
    size = (3, 20, 23)
    found, module = edited(described(Same(), size), {"stem": edit}), Same(stem=edit).eval()
    rows, columns = found.geometry.grid("down")
    units = [Unit("down", row, column) for row in range(0, rows, 3) for column in range(0, columns, 3)]
    measured = supports(module, trace(module, size), [*units, Unit("down", rows - 1, columns - 1)])
    boxes = [found.geometry.field(*unit).box.clipped(23, 20) for unit in [*units, Unit("down", rows - 1, columns - 1)]]
    assert boxes == measured


def test_same_can_be_asked_of_any_layer() -> None:
    """A convolution of torch that pads one unit, and one that pads by the rule: 64 rows become 32 either way."""
    network = described(Skips(), (3, 63, 64))
    edit = Edit((4, 4), (3, 3), padding=PaddingRule.SAME)
    assert edited(network, {"stem": edit}).geometry.grid("stem") == (21, 22)
    pool = replace(editable(network)["pool"], padding=PaddingRule.SAME)
    assert edited(network, {"pool": pool}).geometry.grid("pool") == (32, 32)


def test_the_padding_that_keeps_the_size_under_the_rule_is_the_rule() -> None:
    assert padding_for_size(STEM, replace(STEM, kernel=(5, 5), padding=(0, 0))) is PaddingRule.SAME
    assert padding_for_size(STEM, replace(STEM, stride=(1, 1))) is None


class Fixed(nn.Module):
    """Margins one row and column behind, as diffusion models do: on even sizes that is what the rule says."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.down = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down(F.pad(self.first(x), (0, 1, 0, 1)))
        return out


def test_a_padding_that_is_the_rules_by_chance_is_followed_no_further_than_it_is_known() -> None:
    network = described(Fixed(), (3, 64, 64))
    assert editable(network)["down"].padding is PaddingRule.SAME
    assert edited(network, {"first": Edit((3, 3))}).geometry.grid("down") == (31, 31)  # even: both say the same
    with pytest.raises(EditRefused, match=r"layer 'down' pads 64x64 units by the rule 'same'; .* 63x63") as refused:
        edited(network, {"first": Edit((4, 4), padding=(1, 1))})
    assert refused.value.layer == "down"
    both = {"first": Edit((4, 4), padding=(1, 1)), "down": Edit((3, 3), (2, 2), padding=(1, 1))}
    assert edited(network, both).geometry.grid("down") == (32, 32)


def test_a_pad_that_another_layer_takes_too_is_no_padding_of_the_convolution() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Conv2d(3, 4, 3, 2), nn.Conv2d(3, 4, 3, 2)

        def forward(self, x: Tensor) -> Tensor:
            padded = F.pad(x, (0, 1, 0, 1))
            return torch.add(self.left(padded), self.right(padded))

    assert editable(described(Two()))["left"].padding == (0, 0)


def test_efficientnets_stem_at_full_size() -> None:
    """All its maps are twice as large then, and it ends in a global average: no layer refuses them."""
    network = described(skeleton(catalogue.entry("efficientnet_lite0")), (3, 97, 128))
    found = edited(network, {"stem": replace(editable(network)["stem"], stride=(1, 1))})
    assert found.geometry.grid("stem") == (97, 128)
    assert found.geometry.grid("head") == (7, 8)  # ceil(97 / 16), 128 / 16
