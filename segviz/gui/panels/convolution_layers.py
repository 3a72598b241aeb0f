"""What stands between convolutions: activation, none at all, pooling (T05, T06)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segviz.core.convolution_lab import STEPS, WINDOWS, Between, Preset, Source
from segviz.core.errors import SegvizError
from segviz.gui import words
from segviz.gui.identity import Same
from segviz.gui.panels.convolution_page import (
    PICTURE,
    BoardPage,
    KernelChoice,
    missing_work,
    resizing,
    source_choice,
    work_key,
)
from segviz.gui.panels.lab_page import Change, NumberPill, choice_pill
from segviz.gui.widgets.matrix_board import Matrix, MatrixTile, Spot

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.convolution_lab import ConvolutionLab
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

    Layered = tuple[np.ndarray, np.ndarray, np.ndarray]

SEEN = 96  # units along each side of a map whose activation is shown
FEW = 24  # pixels along each side of the image that two layers convolve
SAMPLES = 12  # units along each side of the map that is pooled


class ReluPage(BoardPage):
    """The map of a convolution before and after ReLU, and after the network's own activation."""

    def __init__(self, change: Change, commands: Commands) -> None:
        super().__init__("Activation", ACTIVATED, change, commands)
        self._lab: ConvolutionLab | None = None
        self._what = self._counted = ""
        self.source = source_choice(change)
        self.kernel = KernelChoice(change, resizing(change, lambda: self._lab), slides=False)
        self.settings = self._lay_out((self.source, *self.kernel.parts), kernel=self.kernel)
        self.board.hovered.connect(self._hovered)
        self.board.left.connect(lambda: self.said.setText(self._counted))

    def show(self, scene: Scene) -> None:
        lab = self._lab = scene.state.convolution_lab
        self.source.set_value(lab.source)
        self.kernel.show(lab, lab.source is Source.IMAGE)
        if missing_work(scene, ""):
            self._what = ""
            self._clear()
            return
        from segviz.gui.panels import convolution_maps

        if not self._is_new(work_key(scene)):
            return
        work = convolution_maps.work_of(scene, SEEN, False)
        if work is not None:
            self._fill(convolution_maps.activated(work, SEEN))

    def _fill(self, found: object) -> None:
        from segviz.core import convolutions
        from segviz.gui.panels.convolution_maps import Activated
        from segviz.gui.widgets import cell_images

        assert isinstance(found, Activated)
        before, after = found.before, convolutions.relu(found.before)
        reach = float(abs(before).max()) or 1.0
        frame = (*found.place, 1, 1)
        value, kept = float(before[found.place]), float(after[found.place])

        def tile(title: str, values: np.ndarray, note: str, most: float = reach) -> MatrixTile:
            image = cell_images.coloured(values, -most, most, cell_images.SIGNED)
            return MatrixTile(title, Matrix(title, values, image, (), frame), (), note)

        tiles = [tile("Before", before, f"here {words.whole(value)}"), tile("ReLU", after, f"here {words.whole(kept)}")]
        if found.after is not None and found.activation != "ReLU":
            own = float(found.after[found.place])
            most = float(abs(found.after).max()) or 1.0
            tiles.append(tile(f"The network's {found.activation}", found.after, f"here {words.whole(own)}", most))
        self.board.set_tiles(tiles)
        self._what = found.name
        negative = float((before < 0).mean())
        self._counted = (
            f"ReLU = max(0, x): {words.share(negative)} of {words.many(before.size, 'unit')} are negative and become 0"
        )
        self.said.setText(self._counted)

    def _hovered(self, spot: Spot, fy: float, fx: float) -> None:
        """The unit under the mouse, in all maps."""
        self.board.set_mark((fy, fx))
        values = (
            f"{tile.title} {words.whole(float(tile.main.values[spot.row, spot.column]))}" for tile in self.board.tiles
        )
        self.said.setText(" · ".join(values))

    def missing(self, scene: Scene) -> str:
        return missing_work(scene, "")

    def what(self, scene: Scene) -> str:
        return self._what


class CollapsePage(BoardPage):
    """The image through two convolutions, and through the one that both are."""

    def __init__(self, change: Change, commands: Commands) -> None:
        super().__init__("Two layers", COLLAPSED, change, commands)
        self._lab: ConvolutionLab | None = None
        self.kernel = KernelChoice(change, resizing(change, lambda: self._lab), slides=False)
        self.between = choice_pill("Between", "What stands between the two layers", Between, "between", change)
        self.second = choice_pill("Second", "The kernel of the second layer", Preset, "second", change)
        self.settings = self._lay_out((*self.kernel.parts, self.between, self.second), kernel=self.kernel)

    def show(self, scene: Scene) -> None:
        lab = self._lab = scene.state.convolution_lab
        self.kernel.show(lab)
        self.between.show_choice(lab.between)
        self.second.show_choice(lab.second)
        if scene.picture is None:
            self._clear()
        elif self._is_new((Same(scene.picture), lab, scene.state.cursor)):
            self._fill(scene, lab)

    def _fill(self, scene: Scene, lab: ConvolutionLab) -> None:
        import numpy as np

        from segviz.core import convolutions
        from segviz.core.choices import ColourMap
        from segviz.gui.panels import convolution_maps as maps
        from segviz.gui.widgets import cell_images

        plane = maps.crop(scene, FEW)[0]
        first, second = (np.asarray(convolutions.kernel_rows(one, lab.edited)) for one in (lab.preset, lab.second))
        both = convolutions.composed(first, second)
        try:
            passed, outer, once = _layered(plane, first, second, lab.between)
        except SegvizError as error:
            self._clear(str(error))
            return
        differs = outer - once
        signed = cell_images.about_zero
        reach = max(float(abs(once).max()), float(abs(outer).max())) or 1.0
        middle = "First, then ReLU" if lab.between is Between.RELU else "First"

        def tile(
            title: str, values: np.ndarray, image: object, note: str, beside: tuple[Matrix, ...] = ()
        ) -> MatrixTile:
            return MatrixTile(title, Matrix(title, values, image, ()), beside, note)  # type: ignore[arg-type]

        kernels = [Matrix(name, rows, signed(rows)) for name, rows in (("first", first), ("second", second))]
        shared = (cell_images.coloured(values, -reach, reach, cell_images.SIGNED) for values in (outer, once, differs))
        two, one, apart = shared
        self.board.set_tiles(
            (
                tile("Image", plane, cell_images.coloured(plane, 0, maps.WHITE, ColourMap.GREY), "grey levels"),
                tile(middle, passed, signed(passed), lab.preset.title, (kernels[0],)),
                tile("Two layers", outer, two, f"then {lab.second.title.lower()}", (kernels[1],)),
                tile("Kernel of kernels", both, signed(both), f"{words.size(*both.shape)} in place of both"),
                tile("One layer", once, one, "with that kernel"),
                tile("Difference", differs, apart, f"largest {words.exponent(float(abs(differs).max()))}"),
            )
        )
        self.said.setText(_collapse(lab, differs, reach))

    def missing(self, scene: Scene) -> str:
        return PICTURE if scene.picture is None else ""

    def what(self, scene: Scene) -> str:
        lab = scene.state.convolution_lab
        return f"{lab.preset.title}, then {lab.second.title.lower()}"


def _layered(plane: np.ndarray, first: np.ndarray, second: np.ndarray, between: Between) -> Layered:
    """What lies between two layers, what both make of `plane`, and what one layer with their kernel of kernels does.

    Raises SegvizError for a plane that is smaller than a kernel.
    """
    from segviz.core import convolutions

    inner = convolutions.Sliding.over(plane, first).output()
    passed = convolutions.relu(inner) if between is Between.RELU else inner
    outer = convolutions.Sliding.over(passed, second).output()
    return passed, outer, convolutions.Sliding.over(plane, convolutions.composed(first, second)).output()


ROUNDING = 1e-9  # of the largest value: what two orders of summing may differ by


def _collapse(lab: ConvolutionLab, differs: np.ndarray, reach: float) -> str:
    largest = float(abs(differs).max())
    if largest <= ROUNDING * reach:
        what = "Two linear layers are one" if lab.between is Between.NOTHING else "Nothing was negative here: still one"
        return f"{what}: the largest difference is {words.exponent(largest)}"
    share = words.share(float((abs(differs) > ROUNDING * reach).mean()))
    return (
        f"With a ReLU between them no one layer does it: {share} of the outputs differ, by up to {words.whole(largest)}"
    )


class PoolingPage(BoardPage):
    """Samples of a map, dots on those that survive; max and average pooling beside it."""

    def __init__(self, change: Change, commands: Commands) -> None:
        super().__init__("Pooling", POOLED, change, commands)
        self._what = ""
        self.source = source_choice(change)
        self.window = NumberPill("Window", "Samples along each side", WINDOWS, lambda n: change(window=n), "{0} × {0}")
        self.step = NumberPill("Stride", "Samples between windows", STEPS, lambda n: change(step=n))
        self.settings = self._lay_out((self.source, self.window, self.step))

    def show(self, scene: Scene) -> None:
        lab = scene.state.convolution_lab
        self.source.set_value(lab.source)
        self.window.show_number(lab.window)
        self.step.show_number(lab.step)
        if missing_work(scene, ""):
            self._what = ""
            self._clear()
            return
        from segviz.gui.panels import convolution_maps

        if self._is_new(work_key(scene)):
            plane, self._what = convolution_maps.samples(scene, SAMPLES)
            self._fill(plane, lab)

    def _fill(self, plane: np.ndarray, lab: ConvolutionLab) -> None:
        import numpy as np

        from segviz.core import convolutions
        from segviz.gui.panels.convolution_maps import pooled_image

        try:
            most = convolutions.pooled(plane, lab.window, lab.step)
            mean = convolutions.pooled(plane, lab.window, lab.step, average=True)
        except SegvizError as error:
            self._clear(str(error))
            return
        grey, low, high = lab.source is Source.IMAGE, float(plane.min()), float(plane.max())
        reach = max(abs(low), abs(high)) or 1.0
        dots = tuple((int(row), int(column)) for row, column in np.argwhere(most.taken))
        size = words.shape(plane.shape)
        smaller = words.shape(most.values.shape)
        self.board.set_tiles(
            (
                MatrixTile("Map", Matrix("map", plane, pooled_image(plane, reach, grey), dots), (),
                           f"{size}, dots survive", linked=False),
                MatrixTile("Max", Matrix("max", most.values, pooled_image(most.values, reach, grey)), (),
                           f"{smaller}, the largest of each window", linked=False),
                MatrixTile("Average", Matrix("average", mean.values, pooled_image(mean.values, reach, grey)), (),
                           f"{smaller}, the mean of each window", linked=False),
            )
        )  # fmt: skip
        lost = 1 - most.survivors / plane.size
        self.said.setText(
            f"max: {most.survivors} of {plane.size} samples survive, {words.share(lost)} are discarded · "
            f"average: {int(np.count_nonzero(mean.taken))} of {plane.size} count, none survives"
        )

    def missing(self, scene: Scene) -> str:
        return missing_work(scene, "")

    def what(self, scene: Scene) -> str:
        return self._what


ACTIVATED = (
    "Red is positive, blue negative. Without an activation a stack of convolutions is one convolution: see Two layers. "
    "Move over a map to read all of them at one unit."
)
COLLAPSED = (
    "The image through both layers, and through one layer with the kernel that both make together. Put a ReLU between "
    "them, and the one layer no longer does the same."
)
POOLED = "Pooling acts on each map alone. Windows that would hang over the border are left out."
