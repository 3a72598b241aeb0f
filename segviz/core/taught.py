"""Networks that segviz teaches by its own recipes (`segviz train`): part of the catalogue.

One without a file in `resources/models` has random weights, and its summary says so.
"""

from __future__ import annotations

from typing import Any

from segviz.core.choices import Task
from segviz.core.entries import Entry, Preprocessing

DIGITS = tuple(str(digit) for digit in range(10))

_PAGES: dict[str, Any] = {
    "task": Task.SEGMENTATION,
    "input_size": (1, 128, 128),
    "class_count": 11,
    "class_list": ("background", *DIGITS),
    "stride": 1,
    "licence": "no weights are shipped",
    "weights": "",
    "preprocessing": Preprocessing(channels="L"),
    "sees": "handwritten digits, white on black",
    "sample": "digits-512x512.png",
}
_FCN: dict[str, Any] = _PAGES | {
    "weights": "fcn_digits.safetensors",
    "licence": "MIT; learned from digits under CC-BY-SA-3.0",
    "multiple": 32,
    "source": "after Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation",
}

TAUGHT: tuple[Entry, ...] = (
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
        summary="Random weights until it is taught: digits on a page, through max-unpooling",
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
        summary="Random weights until it is taught: digits on a page without any pooling: a unit sees 21 pixels",
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
        weights="",
        receptive_field=24,
        licence="no weights are shipped",
        preprocessing=Preprocessing(channels="L"),
        summary="Random weights until it is taught: ten digits, each with the map of its confidence",
        sees="handwritten digits, white on black",
        sample="digits-512x512.png",
        source="after Lin et al. 2014, Network In Network",
    ),
)
