"""What borders and resizing mean: rules of operations that give maps another grid, or another order.

`engine/rules` has the table.
"""

from __future__ import annotations

from collections.abc import Callable

from segviz.core.field import Status
from segviz.core.steps import Mirror, Resize, Taps, Transposed, Window
from segviz.engine import kernels
from segviz.engine.patches import MAPS
from segviz.engine.uses import Found, Use, hw


def pad(use: Use) -> Found:
    """`pad` of any mode, and the older operations that each have one."""
    if use.main.axes is None and not use.main.stands_for:
        return use.all_of_it(None)
    pads = [int(p) for p in use.args.get("pad", use.args.get("padding", []))] + [0, 0, 0, 0]
    left, right, top, bottom = pads[:4]
    mode = use.args.get("mode") or {"reflection_pad2d": "reflect", "replication_pad2d": "replicate"}.get(
        use.name, "constant"
    )
    rows, columns = use.main.grid
    if use.axes == MAPS and mode == "circular" and not use.main.stands_for:
        steps = {"y": Window(before=top), "x": Window(before=left)}
        reason = "padding 'circular' shows the other end of the maps, so that at most all of them count"
        return use.all_of_it(MAPS, whole=True, reason=reason, doubt=Status.BOUND, pads=True, **steps)
    if use.axes != MAPS or use.main.stands_for or any(pads[4:]) or mode == "circular":
        return use.all_of_it(use.main.axes, reason=f"padding '{mode}' of this layout")
    if mode == "constant":
        down, across = Window(before=top), Window(before=left)
        value = float(use.args.get("value") or 0)
        zeros = max(left, right, top, bottom) > 0
        return Found(kernels.Pad(down, across, (rows, columns), value), down, across, axes=MAPS, pads=zeros)
    y, x = (Mirror(*axis, mode == "replicate") for axis in ((rows, top, bottom), (columns, left, right)))
    return Found(kernels.Pick(y, x), y, x, axes=MAPS, pads=True)


def resize(taps: Taps) -> Callable[[Use], Found]:
    def rule(use: Use) -> Found:
        align = bool(use.args.get("align_corners") or False)
        asked = use.args.get("scale_factors") or (use.args.get("scales_h"), use.args.get("scales_w"))
        factors = [None if align or factor is None else float(factor) for factor in asked]
        sides = zip(use.main.grid, hw(use.output, MAPS), factors, strict=True)
        y, x = (Resize(taps, below, above, align, factor) for below, above, factor in sides)
        made = kernels.Pick(y, x) if taps in (Taps.NEAREST, Taps.CENTRE) else kernels.Interpolate(y, x)
        return Found(made, y, x, axes=MAPS)

    return rule


def shuffle(use: Use) -> Found:
    factor = int(use.args["upscale_factor"])
    step = Transposed(factor, factor)  # unit u goes into `factor` of its own
    return use.all_of_it(MAPS, y=step, x=step)


def unshuffle(use: Use) -> Found:
    factor = int(use.args["downscale_factor"])
    step = Window(factor, factor)
    return use.all_of_it(MAPS, y=step, x=step)


def moved(order: Callable[[Use], list[int]]) -> Callable[[Use], Found]:
    """Dimensions in another order: output dimension i is input dimension `order[i]`."""

    def rule(use: Use) -> Found:
        now = order(use)
        if use.main.stands_for or use.main.axes is None:
            if use.main.stands_for:
                axes = use.main.axes and (now.index(use.main.axes[0]), now.index(use.main.axes[1]))
                return Found(kernels.Same(), grid=use.main.grid, axes=axes, stands_for=True, spans=use.main.spans)
            return use.point()
        y, x = (now.index(axis) for axis in use.main.axes)
        return use.point((y, x))

    return rule


def permuted(use: Use) -> list[int]:
    size = use.main.tensor.dim()
    return [int(d) % size for d in use.args["dims"]]


def swapped(use: Use) -> list[int]:
    size = use.main.tensor.dim()
    first, second = (int(use.call[k]) % size for k in (1, 2))
    order = list(range(size))
    order[first], order[second] = order[second], order[first]
    return order
