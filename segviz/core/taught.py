"""Networks that segviz teaches by its own recipes (`segviz train`) and ships; part of the catalogue."""

from __future__ import annotations

from typing import Any

from segviz.core.choices import Task
from segviz.core.entries import Entry, Preprocessing

_SCENES = ("background", "mammal", "bird", "insect", "fruit", "flower", "vehicle")  # what cut-out things are
DIGITS = tuple(str(digit) for digit in range(10))

_FCN_LITE: dict[str, Any] = {
    "task": Task.SEGMENTATION,
    "input_size": (3, 224, 224),
    "class_count": len(_SCENES),
    "class_list": _SCENES,
    "stride": 1,
    "weights": "fcn_scenes.safetensors",
    "licence": "Apache-2.0; learned from cut-outs under GPL-2.0",
    "receptive_field": 883,
    "preprocessing": Preprocessing(mean=(127.0,), std=(128.0,)),
    "summary": "Mammals, birds, insects, fruits, flowers and vehicles, taught by segviz on scenes of cut-out things",
    "multiple": 32,
    "longest_side": 480,
    "sample": "raccoon.jpg",
    "source": "Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation",
}
_OF_DIGITS = "MIT; learned from digits under CC-BY-SA-3.0"
_PAGES: dict[str, Any] = {
    "task": Task.SEGMENTATION,
    "input_size": (1, 128, 128),
    "class_count": 11,
    "class_list": ("background", *DIGITS),
    "stride": 1,
    "licence": _OF_DIGITS,
    "preprocessing": Preprocessing(channels="L"),
    "sees": "handwritten digits, white on black",
    "sample": "digits-512x512.png",
}
_FCN: dict[str, Any] = _PAGES | {
    "weights": "fcn_digits.safetensors",
    "multiple": 32,
    "source": "after Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation",
}
_CELLS: dict[str, Any] = {
    "task": Task.SEGMENTATION,
    "builder": "segviz.models.unet:unet_cells",
    "parameters": 481_762,
    "input_size": (1, 188, 188),
    "class_count": 2,
    "class_list": ("background", "cell"),
    "stride": 1,
    "licence": "MIT",
    "preprocessing": Preprocessing(channels="L", mean=(110.0,), std=(40.0,)),  # without it little is learned
    "receptive_field": 100,
    "longest_side": 256,
    "multiple": 8,
    "remainder": 4,
    "border": 44,
    "variants": {
        "padding=valid": {},
        "padding=same": {"input_size": (1, 192, 192), "remainder": 0, "border": 0},
    },
    "sees": "cells under a microscope, as its recipe draws them",
    "sample": "cells-252x252.png",
    "source": "after Ronneberger et al. 2015, U-Net: Convolutional Networks for Biomedical Image Segmentation",
}

TAUGHT: tuple[Entry, ...] = (
    Entry(
        name="fcn32s-efficientnet_lite0",
        title="FCN-32s (EfficientNet-Lite0)",
        builder="segviz.models.fcn:fcn32s_efficientnet",
        parameters=3_574_456,
        **_FCN_LITE,
    ),
    Entry(
        name="fcn16s-efficientnet_lite0",
        title="FCN-16s (EfficientNet-Lite0)",
        builder="segviz.models.fcn:fcn16s_efficientnet",
        parameters=3_428_296,
        **_FCN_LITE,
    ),
    Entry(
        name="fcn8s-efficientnet_lite0",
        title="FCN-8s (EfficientNet-Lite0)",
        builder="segviz.models.fcn:fcn8s_efficientnet",
        parameters=3_392_960,
        **_FCN_LITE,
    ),
    Entry(
        name="fcn32s-digits",
        title="FCN-32s on digit pages",
        builder="segviz.models.fcn:fcn32s_digits",
        parameters=621_431,
        receptive_field=188,
        summary="Digits on a page, from the deepest map alone: taught by segviz",
        **_FCN,
    ),
    Entry(
        name="fcn16s-digits",
        title="FCN-16s on digit pages",
        builder="segviz.models.fcn:fcn16s_digits",
        parameters=252_194,
        receptive_field=220,
        summary="Digits on a page, with one skip: taught by segviz",
        **_FCN,
    ),
    Entry(
        name="fcn8s-digits",
        title="FCN-8s on digit pages",
        builder="segviz.models.fcn:fcn8s_digits",
        parameters=161_565,
        receptive_field=220,
        summary="Digits on a page, with two skips: taught by segviz",
        **_FCN,
    ),
    Entry(
        name="segnet-digits",
        title="SegNet on digit pages",
        builder="segviz.models.segnet:segnet_digits",
        parameters=104_123,
        receptive_field=68,
        weights="segnet_digits.safetensors",
        summary="Digits on a page, through max-unpooling: taught by segviz",
        source="after Badrinarayanan et al. 2017, SegNet: A Deep Convolutional Encoder-Decoder Architecture",
        **_PAGES,
    ),
    Entry(
        name="onlyconv-digits",
        title="Convolutions alone on digit pages",
        builder="segviz.models.onlyconv:OnlyConv",
        parameters=47_387,
        receptive_field=21,
        border=10,
        weights="onlyconv_digits.safetensors",
        summary="Digits on a page without any pooling, so that a unit sees 21 pixels: taught by segviz",
        source="after Springenberg et al. 2015, Striving for Simplicity: The All Convolutional Net",
        **_PAGES,
    ),
    Entry(
        name="nin-digits",
        title="Small Network in Network",
        task=Task.CLASSIFICATION,
        builder="segviz.models.heads:SmallNIN",
        parameters=38_434,
        input_size=(1, 32, 32),
        class_count=10,
        class_list=DIGITS,
        stride=4,
        weights="nin_digits.safetensors",
        receptive_field=24,
        licence=_OF_DIGITS,
        preprocessing=Preprocessing(channels="L"),
        summary="Ten digits, each with the map of its confidence: taught by segviz",
        sees="handwritten digits, white on black",
        sample="digits-512x512.png",
        source="after Lin et al. 2014, Network In Network",
    ),
    Entry(
        name="unet-cells",
        title="U-Net (small)",
        weights="unet_cells.safetensors",
        summary="Touching cells apart from each other, taught by segviz on cells that a program drew",
        **_CELLS,
    ),
    Entry(
        name="unet-cells-plain",
        title="U-Net (small) without its weight map",
        weights="unet_cells_plain.safetensors",
        summary="The same network, taught by segviz without weights for the gaps between cells",
        **_CELLS,
    ),
)
