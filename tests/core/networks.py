"""Networks of the papers as graphs for geometry, built by hand: an independent way to what tracing must find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from segviz.core.field import Geometry, Node
from segviz.core.steps import IDENTITY, Step, Transposed, Window


@dataclass
class Builder:
    """Adds nodes one after the other on a square input; `sizes` are the sizes that the papers' formula gives."""

    size: int
    nodes: list[Node] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nodes.append(Node((), IDENTITY, IDENTITY, self.size, self.size))

    def add(self, name: str, step: Step, size: int, *inputs: int) -> int:
        self.nodes.append(Node(inputs or (len(self.nodes) - 1,), step, step, size, size))
        self.names.append((name, len(self.nodes) - 1))
        return len(self.nodes) - 1

    def window(
        self, name: str, kernel: int, stride: int = 1, padding: int = 0, *, ceil: bool = False, of: int = -1
    ) -> int:
        source = of % len(self.nodes)
        room = self.nodes[source].height + 2 * padding - kernel
        size = (-(-room // stride) if ceil else room // stride) + 1
        return self.add(name, Window(kernel, stride, before=padding), size, source)

    def up(self, name: str, kernel: int, stride: int, of: int = -1) -> int:
        source = of % len(self.nodes)
        size = (self.nodes[source].height - 1) * stride + kernel
        return self.add(name, Transposed(kernel, stride), size, source)

    def crop(self, name: str, before: int, size: int, of: int = -1) -> int:
        return self.add(name, Window(before=-before), size, of % len(self.nodes))

    def join(self, name: str, first: int, second: int) -> int:
        assert self.nodes[first].height == self.nodes[second].height, "only maps of one size can be joined"
        return self.add(name, IDENTITY, self.nodes[first].height, first, second)

    def done(self) -> Geometry:
        return Geometry(self.size, self.size, tuple(self.nodes), tuple(self.names), self.names[-1][0])


def lenet5(size: int = 32) -> Geometry:
    b = Builder(size)
    for name, kernel, stride in (
        ("c1", 5, 1),
        ("s2", 2, 2),
        ("c3", 5, 1),
        ("s4", 2, 2),
        ("c5", 5, 1),
        ("output", 1, 1),
    ):
        b.window(name, kernel, stride)
    return b.done()


def alexnet(size: int = 224, first_padding: int = 2, *, ceil: bool = False) -> Geometry:
    b = Builder(size)
    b.window("conv1", 11, 4, first_padding)
    b.window("pool1", 3, 2, ceil=ceil)
    b.window("conv2", 5, 1, 2)
    b.window("pool2", 3, 2, ceil=ceil)
    for name in ("conv3", "conv4", "conv5"):
        b.window(name, 3, 1, 1)
    b.window("pool5", 3, 2, ceil=ceil)
    b.window("dense", 6)
    return b.done()


VGG11, VGG16, VGG19 = (1, 1, 2, 2, 2), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)


def vgg_trunk(b: Builder, blocks: Sequence[int], first_padding: int = 1, *, ceil: bool = False) -> None:
    for block, count in enumerate(blocks, 1):
        for index in range(1, count + 1):
            b.window(f"conv{block}_{index}", 3, 1, first_padding if (block, index) == (1, 1) else 1)
        b.window(f"pool{block}", 2, 2, ceil=ceil)


def vgg(blocks: Sequence[int] = VGG16, size: int = 224) -> Geometry:
    b = Builder(size)
    vgg_trunk(b, blocks)
    b.window("dense", 7)
    return b.done()


def unet(size: int = 572) -> Geometry:
    """Ronneberger et al. 2015: valid convolutions, 2x2 transposed convolutions, skips cropped in their middle."""
    b, skips = Builder(size), []
    for level in range(4):
        b.window(f"down{level}a", 3)
        skips.append(b.window(f"down{level}b", 3))
        b.window(f"pool{level}", 2, 2)
    b.window("bottom_a", 3)
    b.window("bottom_b", 3)
    for level in reversed(range(4)):
        up = b.up(f"up{level}", 2, 2)
        margin = (b.nodes[skips[level]].height - b.nodes[up].height) // 2
        skip = b.crop(f"crop{level}", margin, b.nodes[up].height, skips[level])
        b.join(f"cat{level}", skip, up)
        b.window(f"up{level}a", 3)
        b.window(f"up{level}b", 3)
    b.window("output", 1)
    return b.done()


def fcn(skips: int, size: int = 900) -> Geometry:
    """Long et al. 2015 on VGG16, padding 100, ceil pooling: FCN-32s, 16s, 8s for 0, 1, 2 skips.

    The crop offsets are those of the authors' network definitions.
    """
    b = Builder(size)
    vgg_trunk(b, VGG16, 100, ceil=True)
    b.window("fc6", 7)
    score = b.window("score", 1)
    pools = {name: index for name, index in b.names if name.startswith("pool")}
    for pool, offset in (("pool4", 5), ("pool3", 9))[:skips]:
        score = b.up(f"twice_{pool}", 4, 2, score)
        skip = b.crop(f"crop_{pool}", offset, b.nodes[score].height, pools[pool])
        score = b.join(f"fuse_{pool}", score, skip)
    stride = 32 >> skips
    b.up("upscore", 2 * stride, stride, score)
    b.crop("output", {0: 19, 1: 27, 2: 31}[skips], size)
    return b.done()
