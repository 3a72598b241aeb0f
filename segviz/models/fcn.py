"""FCN-32s, FCN-16s and FCN-8s: one class, whose `skips` say how many shallower predictions are added.

Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2015, section 4
and figure 3. Over VGG16 sizes, padding, crops and names of layers are those of the authors' own network
definitions. A backbone with TensorFlow's SAME padding is upsampled with kernels of odd width, which put
its units back where they sit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.models.efficientnet_lite import TABLE, EfficientNetLite0
from segviz.models.vgg import CONVOLUTIONS, MAPS

CLASSES = 21  # of PASCAL VOC 2011
SCENE_CLASSES = 7  # of the scenes of cut-out things
POOLS = ("pool4", "pool3")  # what the skips take, the deepest first
FINAL = ("upscore", "upscore16", "upscore8")  # names of the last upsampling, by the number of skips
TWICE = ("upscore2", "upscore_pool4")  # names of those before it, which double the rows and columns


def bilinear(width: int, factor: int) -> Tensor:
    """The kernel (width, width) that upsamples `factor` times bilinearly; width is 2 f, or 2 f - 1.

    Along a row for f = 2: 0.25 0.75 0.75 0.25, with new units between the old ones, or 0.5 1 0.5, with the
    old ones among the new.
    """
    row = 1 - (torch.arange(width) - (width - 1) / 2).abs() / factor
    return row[:, None] * row


def _cropped(maps: Tensor, offset: int, like: Tensor) -> Tensor:
    """`maps` (N, C, H, W) from (offset, offset) on, at most as large as `like`."""
    rows, columns = like.shape[2:]
    if offset == 0 and maps.shape[2] <= rows and maps.shape[3] <= columns:
        return maps
    return maps[:, :, offset : offset + rows, offset : offset + columns]


class FCN(nn.Module):
    """21 classes: (N, 3, H, W) to logits (N, 21, H, W).

    `skips` is 0 for FCN-32s, 1 for 16s, 2 for 8s. With `ladder` it has the last upsamplings of those with
    fewer skips too, so that one network learns all of them at once. A subclass has the backbone: `maps` with the
    strides 32, 16 and 8, and `WIDTHS`, how many of each. `ODD` says that kernels which upsample f times are 2 f - 1
    wide, and not 2 f. `CROPS` are the first rows and columns that are taken of the skips, `MARGINS` those
    of the last upsampling, by the number of skips.
    """

    WIDTHS: tuple[int, int, int]
    ODD: bool = False
    CROPS: tuple[int, int] = (0, 0)
    MARGINS: tuple[int, int, int] = (0, 0, 0)

    def __init__(self, skips: int, classes: int = CLASSES, ladder: bool = False) -> None:
        super().__init__()
        self.skips = skips
        deepest, *shallower = self.WIDTHS
        self.score_fr = nn.Conv2d(deepest, classes, 1)
        for pool, maps in zip(POOLS[:skips], shallower, strict=False):
            self.add_module(f"score_{pool}", nn.Conv2d(maps, classes, 1))
        for name in TWICE[:skips]:
            self.add_module(name, self._upsampling(classes, 2))
        for rung in range(skips + 1) if ladder else (skips,):
            self.add_module(FINAL[rung], self._upsampling(classes, 32 >> rung))

    def _upsampling(self, classes: int, factor: int) -> nn.ConvTranspose2d:
        """Without padding, so that more comes out than the crops leave."""
        return nn.ConvTranspose2d(classes, classes, 2 * factor - self.ODD, factor, bias=False)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Maps of the strides 32, 16 and 8. The backbone is that of each subclass: this class alone is no network."""
        raise NotImplementedError(f"{type(self).__name__} has no backbone")

    def forward(self, x: Tensor) -> Tensor:
        *_, score = self._scores(x)
        return self._upsampled(score, self.skips, x)

    def ladder(self, x: Tensor) -> tuple[Tensor, ...]:
        """Logits (N, classes, H, W) with 0, 1, ... `skips` skips, from one pass; of a network made with `ladder`."""
        return tuple(self._upsampled(score, rung, x) for rung, score in enumerate(self._scores(x)))

    def _scores(self, x: Tensor) -> Iterator[Tensor]:
        """Scores on the grid of stride 32, then with each skip added on the grid of that skip."""
        deepest, *shallower = self.maps(x)
        score: Tensor = self.score_fr(deepest)  # (N, classes, H / 32, W / 32)
        yield score
        for pool, twice, maps, offset in zip(POOLS, TWICE[: self.skips], shallower, self.CROPS, strict=False):
            score = self.get_submodule(twice)(score)
            skip = _cropped(self.get_submodule(f"score_{pool}")(maps), offset, score)
            score = _cropped(score, 0, skip) + skip
            yield score

    def parts(self, scores: Sequence[Tensor]) -> list[Tensor]:
        """What `forward` adds before its last upsampling, of the scores of each depth, the deepest first.

        Each (N, classes, rows, columns) on the finest grid. `finish` of their sum is the answer: behind the scores
        all is linear, but for the biases, which the scores hold.
        """
        parts = [scores[0]]
        for twice, maps, offset in zip(TWICE[: self.skips], scores[1:], self.CROPS, strict=False):
            parts = [self.get_submodule(twice)(part) for part in parts]
            skip = _cropped(maps, offset, parts[0])
            parts = [*(_cropped(part, 0, skip) for part in parts), skip]
        return parts

    @property
    def final(self) -> nn.ConvTranspose2d:
        """The last upsampling; of its whole result `MARGINS[skips]` rows and columns are cut off before the answer."""
        last = self.get_submodule(FINAL[self.skips])
        assert isinstance(last, nn.ConvTranspose2d)
        return last

    def finish(self, score: Tensor, like: Tensor) -> Tensor:
        """Scores on the finest grid at the pixels of the input `like`."""
        return self._upsampled(score, self.skips, like)

    def _upsampled(self, score: Tensor, rung: int, x: Tensor) -> Tensor:
        return _cropped(self.get_submodule(FINAL[rung])(score), self.MARGINS[rung], x)

    def start(self) -> None:
        """Begin as in the paper: skips that add nothing yet, upsampling that is bilinear, class by class."""
        with torch.no_grad():
            for pool in POOLS[: self.skips]:
                for tensor in self.get_submodule(f"score_{pool}").parameters():
                    tensor.zero_()
            for module in self.modules():
                if isinstance(module, nn.ConvTranspose2d):
                    module.weight.zero_()
                    kernel = bilinear(module.kernel_size[0], module.stride[0])
                    module.weight.diagonal().copy_(kernel[..., None])


class FCNOverVGG16(FCN):
    """VGG16 with its dense layers as convolutions; 100 zeros around the image make room for the first of them."""

    WIDTHS = (4096, 512, 256)
    CROPS = (5, 9)
    MARGINS = (19, 27, 31)

    def __init__(self, skips: int, classes: int = CLASSES, ladder: bool = False) -> None:
        super().__init__(skips, classes, ladder)
        below = 3
        for block, (count, maps) in enumerate(zip(CONVOLUTIONS[16], MAPS, strict=True), 1):
            for index in range(1, count + 1):
                padding = 100 if below == 3 else 1
                self.add_module(f"conv{block}_{index}", nn.Conv2d(below, maps, 3, padding=padding))
                below = maps
            self.add_module(f"pool{block}", nn.MaxPool2d(2, ceil_mode=True))
        self.fc6 = nn.Conv2d(MAPS[-1], 4096, 7)
        self.drop6 = nn.Dropout2d()
        self.fc7 = nn.Conv2d(4096, 4096, 1)
        self.drop7 = nn.Dropout2d()

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pools: list[Tensor] = []
        for block, count in enumerate(CONVOLUTIONS[16], 1):
            for index in range(1, count + 1):
                x = F.relu(self.get_submodule(f"conv{block}_{index}")(x))
            x = self.get_submodule(f"pool{block}")(x)
            pools.append(x)
        x = self.drop6(F.relu(self.fc6(x)))
        x = self.drop7(F.relu(self.fc7(x)))  # (N, 4096, (H + 6) / 32, (W + 6) / 32), rounded up
        return x, pools[3], pools[2]


class FCNOverEfficientNet(FCN):
    """EfficientNet-Lite0 without its pooling and its dense layer; height and width are multiples of 32.

    On those sizes unit u of a map of stride f sits on pixel f (u + 1) - 1, where an odd kernel puts it back.
    """

    ODD = True
    WIDTHS = (1280, TABLE[4].maps, TABLE[2].maps)

    def __init__(self, skips: int, classes: int = CLASSES, ladder: bool = False) -> None:
        super().__init__(skips, classes, ladder)
        self.backbone = EfficientNetLite0()
        del self.backbone.pool, self.backbone.flatten, self.backbone.fc
        self.drop = nn.Dropout2d()  # as behind the deepest maps of the authors' network

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        network = self.backbone
        x = F.relu6(network.bn_stem(network.stem(x)))
        blocks, rows = iter(network.blocks), []
        for row in TABLE:
            for _ in range(row.repeats):
                x = next(blocks)(x)
            rows.append(x)
        x = self.drop(F.relu6(network.bn_head(network.head(x))))  # (N, 1280, H / 32, W / 32)
        return x, rows[4], rows[2]


class FCNOverDigits(FCN):
    """Five blocks, small enough to be taught in a lesson: (N, 1, H, W), multiples of 32, to logits (N, 11, H, W).

    Padding keeps the sizes, so that units of stride f sit (f - 1) / 2 pixels inside their cells, where kernels 2 f
    wide with a padding of f / 2 put them back.
    """

    BLOCKS = (1, 12, 24, 32, 48, 64)
    WIDTHS = (64, 48, 32)

    def __init__(self, skips: int, classes: int = 11, ladder: bool = False) -> None:
        super().__init__(skips, classes, ladder)
        for block, (below, maps) in enumerate(pairwise(self.BLOCKS), 1):
            self.add_module(f"conv{block}_1", nn.Conv2d(below, maps, 3, padding=1, bias=False))
            self.add_module(f"norm{block}_1", nn.BatchNorm2d(maps))
            self.add_module(f"conv{block}_2", nn.Conv2d(maps, maps, 3, padding=1, bias=False))
            self.add_module(f"norm{block}_2", nn.BatchNorm2d(maps))
            self.add_module(f"pool{block}", nn.MaxPool2d(2))

    def _upsampling(self, classes: int, factor: int) -> nn.ConvTranspose2d:
        return nn.ConvTranspose2d(classes, classes, 2 * factor, factor, padding=factor // 2, bias=False)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pools: list[Tensor] = []
        for block in range(1, len(self.BLOCKS)):
            for index in (1, 2):
                x = self.get_submodule(f"conv{block}_{index}")(x)
                x = F.relu(self.get_submodule(f"norm{block}_{index}")(x))
            x = self.get_submodule(f"pool{block}")(x)
            pools.append(x)
        return pools[4], pools[3], pools[2]


fcn32s, fcn16s, fcn8s = (partial(FCNOverVGG16, skips) for skips in range(3))
fcn32s_efficientnet, fcn16s_efficientnet, fcn8s_efficientnet = (
    partial(FCNOverEfficientNet, skips, classes=SCENE_CLASSES) for skips in range(3)
)
fcn_scenes_ladder = partial(FCNOverEfficientNet, 2, classes=SCENE_CLASSES, ladder=True)
fcn32s_digits, fcn16s_digits, fcn8s_digits = (partial(FCNOverDigits, skips) for skips in range(3))
fcn_digits_ladder = partial(FCNOverDigits, 2, ladder=True)
