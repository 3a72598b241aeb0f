"""The lecture's own networks: numbers of the papers and of oracles, on skeletons without their weights."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from segviz.core import catalogue
from segviz.core.choices import Equality
from segviz.core.errors import UsageError
from segviz.core.field import Geometry
from segviz.core.learning import TrainRequest
from segviz.core.steps import Interval, Transposed, Window
from segviz.engine.architectures import build, skeleton
from segviz.engine.exactness import exactness
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import Trace, trace
from segviz.engine.surgery import convert
from segviz.models.allconv import AllConv
from segviz.models.fcn import FCN, FCNOverEfficientNet, bilinear
from segviz.models.segnet import BLOCKS, SegNet
from segviz.models.unet import UNet
from segviz.models.vgg_valid import VGGValid
from segviz.training.networks import beginning
from segviz.training.recipes import recipe
from tests.core import networks
from tests.models.test_networks import _columns_seen, _strip, _transparent


def network(spec: str) -> nn.Module:
    return skeleton(catalogue.entry(spec)).eval()


def traced(spec: str, side: int) -> Trace:
    return trace(network(spec), (catalogue.entry(spec).input_size[0], side, side))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def seen(geometry: Geometry, row: int) -> tuple[int, int]:
    """First and last pixel of the field of the logits' unit (row, row), the same along both axes."""
    box = geometry.field("last", row, row).box
    assert (box.left, box.right) == (box.top, box.bottom)
    return int(box.left), int(box.right) - 1


def conv(maps_in: int, maps: int, kernel: int) -> int:
    """Weights and biases of a convolution."""
    return maps_in * maps * kernel**2 + maps


# -------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("spec", "parameters"),
    [("fcn32s", 136_152_917), ("fcn16s", 134_815_994), ("fcn8s", 134_489_759), ("unet", 31_030_658)],
)
def test_parameters_are_those_of_oracles(spec: str, parameters: int) -> None:
    assert count(network(spec)) == parameters


def test_parameters_of_small_networks_are_those_counted_by_hand() -> None:
    first = conv(3, 192, 5) + conv(192, 160, 1) + conv(160, 96, 1)
    second = conv(96, 192, 5) + 2 * conv(192, 192, 1)
    assert count(network("nin")) == first + second + conv(192, 192, 3) + conv(192, 192, 1) + conv(192, 10, 1)
    narrow = conv(3, 96, 3) + 2 * conv(96, 96, 3)
    wide = conv(96, 192, 3) + 3 * conv(192, 192, 3) + conv(192, 192, 1) + conv(192, 10, 1)
    assert count(network("allconv")) == count(network("allconv?stride=1")) == narrow + wide


def test_fcn_before_upsampling_is_vgg16_with_scores() -> None:
    """oracles: 134,346,581 with 21 classes; the convolutions alone 14,714,688."""
    counts = {name: count(module) for name, module in network("fcn8s").named_children()}
    below = sum(n for name, n in counts.items() if name.startswith("conv"))
    assert below == 14_714_688
    assert below + sum(counts[name] for name in ("fc6", "fc7", "score_fr")) == 134_346_581
    assert (counts["upscore2"], counts["upscore_pool4"], counts["upscore8"]) == (4**2 * 441, 4**2 * 441, 16**2 * 441)


@pytest.mark.parametrize("skips", range(3))
def test_fcn_over_a_backbone_has_its_features_and_its_own_scores(skips: int) -> None:
    features = catalogue.entry("efficientnet_lite0").parameters - (1280 + 1) * 1000  # without the dense layer
    entry = catalogue.entry(f"fcn{32 >> skips}s-efficientnet_lite0")
    scores = sum(conv(maps, 7, 1) for maps in (1280, 112, 40)[: skips + 1])
    kernels = [3] * skips + [2 * (32 >> skips) - 1]
    wanted = features + scores + sum(kernel**2 * 7**2 for kernel in kernels)
    assert count(network(entry.name)) == entry.parameters == wanted


def test_segnet_is_vgg16_forwards_and_backwards() -> None:
    found = network("segnet")
    convolutions = [m for m in found.modules() if isinstance(m, nn.Conv2d)]
    assert (len(convolutions), sum(isinstance(m, nn.BatchNorm2d) for m in found.modules())) == (26, 25)
    forwards = 14_714_688 + 2 * sum(maps for block in BLOCKS for maps in block[1:])
    assert count(found.get_submodule("encoder")) == forwards
    widths = [(b, a) for block in BLOCKS for a, b in pairwise(block)][1:]  # but for the image's
    backwards = sum(conv(below, maps, 3) + 2 * maps for below, maps in widths) + conv(64, 11, 3)
    assert count(found) == forwards + backwards == 29_449_355


def test_unet_has_23_convolutions() -> None:
    """Ronneberger et al. 2015, section 2."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    assert sum(isinstance(m, kinds) for m in network("unet").modules()) == 23


# -------------------------------------------------------------------------------------------- U-Net


@pytest.mark.parametrize("side", [188, 204, 252, 572])
def test_unet_is_the_graph_of_the_paper(side: int) -> None:
    """Every unit of a diagonal against the graph that tests/core builds by hand; 572 gives 388, 188 gives 4."""
    geometry, by_hand = traced("unet", side).geometry, networks.unet(side)
    assert geometry.grid("last") == by_hand.grid("output") == (side - 184, side - 184)
    rows = range(0, side - 184, 1 if side < 300 else 7)
    assert [seen(geometry, row) for row in rows] == [
        (int(box.top), int(box.bottom) - 1) for box in (by_hand.field("output", row, row).box for row in rows)
    ]


def test_unet_has_the_papers_sizes_and_fields_by_phase() -> None:
    geometry = traced("unet", 572).geometry
    downwards = [geometry.grid(f"down.{level}")[0] for level in range(4)]
    assert (*downwards, geometry.grid("bottom")[0]) == (568, 280, 136, 64, 28)
    assert [geometry.grid(f"joined.{level}")[0] for level in range(4)] == [52, 100, 196, 388]
    assert (seen(geometry, 180), seen(geometry, 192)) == ((176, 379), (192, 379))
    assert {high - low + 1 for low, high in (seen(geometry, row) for row in range(160, 224))} == {188, 204}
    assert geometry.position_of("last", 0, 0) == (92, 92)
    assert geometry.field("bottom", 0, 0).box.height == 140


def test_unet_padded_with_zeros_keeps_the_size() -> None:
    geometry = traced("unet?padding=same", 64).geometry
    assert geometry.grid("last") == (64, 64)
    assert geometry.position_of("last", 0, 0) == (0, 0)
    assert {geometry.field("last", row, 32).box.height for row in range(64)} == {188, 204}
    with pytest.raises(UsageError, match=r"'reflect'.*valid or same"):
        UNet("reflect")


@pytest.mark.parametrize("poolings", [1, 2, 3])
def test_a_unet_of_fewer_levels_has_the_border_and_sizes_that_it_says(poolings: int) -> None:
    """6 * 2^d - 4 pixels less on each side, of sizes 2^d p + 4 (2^d - 1) and of no other."""
    step = 2**poolings
    border = 6 * step - 4
    with torch.device("meta"):
        found = UNet(base=2, poolings=poolings).eval()
    for side in range(2 * border + step, 2 * border + 2 * step):
        fits = (side - 4 * (step - 1)) % step == 0
        geometry = trace(found, (1, side, side)).geometry
        whole = geometry.grid("last")[0] == side - 2 * border
        assert whole == fits, side
        if fits:
            assert geometry.position_of("last", 0, 0) == (border, border)


def test_the_unet_for_cells_is_the_papers_with_fewer_maps() -> None:
    entry = catalogue.entry("unet-cells")
    levels = (16, 32, 64)
    down = sum(conv(below, maps, 3) + conv(maps, maps, 3) for below, maps in pairwise((1, *levels, 128)))
    up = sum(conv(2 * maps, maps, 2) + conv(2 * maps, maps, 3) + conv(maps, maps, 3) for maps in levels)
    assert count(network("unet-cells")) == down + up + conv(16, 2, 1) == entry.parameters
    geometry = traced("unet-cells", 188).geometry
    assert geometry.grid("last") == (188 - 2 * entry.border,) * 2
    assert geometry.position_of("last", 0, 0) == (entry.border, entry.border)
    widths = {high - low + 1 for low, high in (seen(geometry, row) for row in range(100))}
    assert max(widths) == entry.receptive_field
    for side in (1, 100, 101, 250):
        assert traced("unet-cells", entry.fitting(side)).geometry.grid("last")[0] >= side


def test_a_fresh_unet_keeps_its_maps_alive() -> None:
    """Ronneberger et al. 2015, section 3. With torch's own numbers pixels would differ by 0.004."""
    torch.manual_seed(0)
    logits = UNet(base=16, poolings=3)(torch.rand(1, 1, 140, 140))
    assert 0.1 < (logits[:, 1] - logits[:, 0]).std() < 3


def test_a_unet_has_at_least_one_map_and_one_pooling() -> None:
    for base, poolings in ((0, 3), (16, 0)):
        with pytest.raises(UsageError, match=f"{base} maps and {poolings} poolings"):
            UNet(base=base, poolings=poolings)


# ---------------------------------------------------------------------------------------------- FCN

STRIDES = (32, 16, 8)


@pytest.mark.parametrize("skips", range(3))
@pytest.mark.parametrize("side", [224, 257])
def test_fcn_is_the_graph_of_its_authors(skips: int, side: int) -> None:
    geometry, by_hand = traced(f"fcn{STRIDES[skips]}s", side).geometry, networks.fcn(skips, side)
    assert geometry.grid("last") == by_hand.grid("output") == (side, side)
    assert geometry.position_of("last", 0, 0) == (0, 0)
    for row in range(0, side, 5):
        assert geometry.field("last", row, row).box == by_hand.field("output", row, row).box


@pytest.mark.parametrize(("skips", "field"), [(0, (227, 662)), (1, (227, 662)), (2, (227, 694))])
def test_fcn_pixel_450_sees_what_oracles_say(skips: int, field: tuple[int, int]) -> None:
    geometry = traced(f"fcn{STRIDES[skips]}s", 900).geometry
    assert seen(geometry, 450) == field
    widths = {high - low + 1 for low, high in (seen(geometry, row) for row in range(430, 494))}
    assert widths == ({436} if skips == 0 else {436, 468})


@pytest.mark.parametrize(("side", "score"), [(224, 8), (256, 9), (375, 12), (500, 16), (512, 17), (900, 29)])
def test_fcn_score_maps_are_as_large_as_oracles_say(side: int, score: int) -> None:
    assert traced("fcn32s", side).geometry.grid("score_fr") == (score, score)


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
def test_upsampling_kernels_are_bilinear(factor: int) -> None:
    """oracles: 0.25 0.75 0.75 0.25 for f = 2, sums f^2; inside a map the same as torch's interpolation."""
    even, odd = bilinear(2 * factor, factor), bilinear(2 * factor - 1, factor)
    assert even.sum().item() == pytest.approx(factor**2)
    assert odd.sum().item() == pytest.approx(factor**2)
    x = torch.rand(1, 1, 5, 6, dtype=torch.float64)
    between = nn.functional.conv_transpose2d(x, even[None, None].double(), None, factor, factor // 2)
    wanted = nn.functional.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    inside = slice(factor, -factor)
    assert (between - wanted)[..., inside, inside].abs().max() < 1e-7
    among = nn.functional.conv_transpose2d(x, odd[None, None].double(), None, factor)[..., factor - 1 :, factor - 1 :]
    assert torch.equal(among[..., ::factor, ::factor], x)


def test_bilinear_kernel_of_two() -> None:
    assert bilinear(4, 2)[1].tolist() == pytest.approx([0.75 * v for v in (0.25, 0.75, 0.75, 0.25)])
    assert bilinear(3, 2)[1].tolist() == [0.5, 1, 0.5]


@pytest.fixture(scope="module")
def lite() -> FCN:
    """As training begins."""
    found = beginning(recipe(TrainRequest("fcn-scenes")), catalogue.entry("fcn8s-efficientnet_lite0"))
    assert isinstance(found, FCN)
    return found.eval()


def test_a_fresh_fcn_starts_as_in_the_paper(lite: FCN) -> None:
    """Skips add nothing, classes do not mix, a backbone is the trained one."""
    assert not any(p.any() for name in ("score_pool4", "score_pool3") for p in lite.get_submodule(name).parameters())
    assert lite.score_fr.weight.any()
    for name in ("upscore2", "upscore_pool4", "upscore8"):
        weight = lite.get_parameter(f"{name}.weight")
        mixed = weight.clone()
        mixed.diagonal().zero_()
        assert not mixed.any()
        kernel = bilinear(int(weight.shape[-1]), (int(weight.shape[-1]) + 1) // 2)
        assert torch.equal(weight.diagonal(), kernel[..., None].expand(-1, -1, 7))
    trained = build("efficientnet_lite0")[1].state_dict()
    own = lite.get_submodule("backbone").state_dict()
    assert own.keys() == trained.keys() - {"fc.weight", "fc.bias"}
    assert all(torch.equal(tensor, trained[name]) for name, tensor in own.items())


def test_skips_that_start_at_zero_change_nothing_until_they_learn(lite: FCN) -> None:
    """FCN-8s begins as FCN-32s upsampled in three steps, so that training only adds (Long et al. 2015, section 4.2)."""
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        deepest, *_ = lite.maps(image)
        score = lite.score_fr(deepest)
        for name in ("upscore2", "upscore_pool4"):
            score = lite.get_submodule(name)(score)[:, :, :-1, :-1]
        assert torch.allclose(lite(image), lite.get_submodule("upscore8")(score)[:, :, :64, :64], atol=1e-6)


def test_fcn_over_a_backbone_puts_every_unit_on_its_pixel() -> None:
    geometry = traced("fcn8s-efficientnet_lite0", 96).geometry
    assert geometry.position_of("last", 0, 0) == (0, 0)
    for layer, stride in (("score_pool3", 8), ("score_pool4", 16), ("score_fr", 32)):
        assert geometry.position_of(layer, 0, 0) == (stride - 1, stride - 1)
    for layer, stride in (("upscore2", 16), ("upscore_pool4", 8)):  # where the skips that are added sit
        assert geometry.position_of(layer, 0, 0) == (stride - 1, stride - 1)


def test_field_of_fcn_over_a_backbone_is_what_gradients_reach() -> None:
    x = _strip(32, 1280)
    out = _transparent(FCNOverEfficientNet(2, classes=1))(x)
    geometry = traced("fcn8s-efficientnet_lite0", 1280).geometry
    wide = set()
    for column in (640, 650, 671, 672, 680):
        first, last = _columns_seen(out, x, column)
        assert (first, last) == seen(geometry, column)
        wide.add(last - first + 1)
    assert wide == {851, 883}
    assert max(wide) == catalogue.entry("fcn8s-efficientnet_lite0").receptive_field


# ------------------------------------------------------------------------------------------- SegNet


def test_field_of_segnet_is_counted_by_hand() -> None:
    """A unit of the logits needs more and more units on its way down to pool5, whose units see 212 pixels each."""
    geometry = traced("segnet", 512).geometry
    widths = set()
    for row in range(224, 288):
        need = Interval(row, row)
        for convolutions in (2, 2, 3, 3, 3):  # with `output`; then an unpooling
            need = Interval(need.lo - convolutions, need.hi + convolutions)
            need = Transposed(2, 2).back(need)
        for convolutions in (3, 3, 3, 2, 2):
            need = Window(2, 2).back(need)
            need = Interval(need.lo - convolutions, need.hi + convolutions)
        assert seen(geometry, row) == need
        widths.add(need.hi - need.lo + 1)
    assert widths == {372, 404}
    assert max(widths) == catalogue.entry("segnet").receptive_field


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (31, 64), (45, 33)])
def test_segnet_answers_on_any_size(rows: int, columns: int) -> None:
    found = trace(network("segnet"), (3, rows, columns))
    assert found.geometry.grid("last") == (rows, columns)
    assert found.geometry.position_of("last", 0, 0) == (0, 0)
    assert not any(node.reason or node.mixed for node in found.geometry.nodes)


def test_unpooling_keeps_one_value_a_window_at_its_place() -> None:
    x = torch.rand(2, 3, 7, 6)
    found = SegNet(classes=2)
    maxima, switches = found.pool[0](x)
    back = found.unpool[0](maxima, switches, (7, 6))
    assert torch.equal(back[back != 0], x[back != 0])
    kept = nn.functional.max_pool2d((back != 0).float(), 2, ceil_mode=True)
    assert torch.equal(kept, torch.ones_like(maxima))
    assert int((back != 0).sum()) == maxima.numel()


# --------------------------------------------------------------------------------- small classifiers


@pytest.mark.parametrize(
    ("spec", "grid", "field", "stride"),
    [("nin", 8, 27, 4), ("allconv", 6, 27, 4), ("allconv?stride=1", 30, 15, 1), ("vgg_valid", 1, 60, 8)],
)
def test_class_maps_of_small_networks(spec: str, grid: int, field: int, stride: int) -> None:
    """Springenberg et al. average 6 x 6 units; NiN has a confidence map of 8 x 8 for each class."""
    entry = catalogue.entry(spec)
    built = network(spec) if entry.trained else build(spec)[1]
    geometry = trace(built, entry.input_size, convert(built, entry.input_size).head).geometry
    assert geometry.grid("last") == (grid, grid)
    assert geometry.field("last", grid // 2, grid // 2).box.height == field == entry.receptive_field
    assert geometry.laws("last")[0].stride == stride == entry.stride


def test_without_strides_a_network_sees_next_to_nothing_and_is_slow() -> None:
    """Lecture T21: the same weights see 15 pixels instead of 27 and multiply five times as often."""
    with_strides, without = traced("allconv", 32), traced("allconv?stride=1", 32)
    assert without.macs > 5 * with_strides.macs
    with pytest.raises(UsageError, match="'3'"):
        AllConv("3")


def test_without_padding_the_dense_map_is_the_sliding_window() -> None:
    """Lecture T19, float64: every window of a 92 x 76 image, one every 8 pixels."""
    torch.manual_seed(5)
    small = VGGValid().double().eval()
    entry = catalogue.entry("vgg_valid")
    head = convert(small, entry.input_size).head
    image = torch.rand(1, 3, 92, 76, dtype=torch.float64)
    found = trace(small, (3, 92, 76), head)
    dense = finished(run(found, NetworkWeights(small), image)).output
    assert dense.shape == (1, 10, 5, 3)
    windows = [image[:, :, y : y + 60, x : x + 60] for y in range(0, 33, 8) for x in range(0, 17, 8)]
    with torch.inference_mode():
        wanted: Tensor = small(torch.cat(windows))
    assert (dense[0].flatten(1).T - wanted).abs().max() < 1e-12
    native = trace(small, entry.input_size)
    assert exactness(native, found, entry).equality is Equality.EVERYWHERE
