"""The choices a person has, as enumerations: menus, command line and session files all read these.

Only names and titles live here, free of torch, since menus are needed at the first paint. What a
choice does stands in a table of the same keys (`METHODS`, `RECIPES`, ...) in the room that can do it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """A named choice with a title for people and one sentence on what it does."""

    title: str  # type: ignore[assignment]  # instead of str.title(), which no choice needs
    hint: str

    def __new__(cls, value: str, title: str = "", hint: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.title = title or value.capitalize()
        member.hint = hint
        return member


class Task(Choice):
    CLASSIFICATION = "classification", "Classification", "one answer for an image of fixed size"
    SEGMENTATION = "segmentation", "Segmentation", "one answer for every pixel"


class Method(Choice):
    """How a network answers for a whole image (lecture T15, T18, T20, T23, T24)."""

    AUTO = "auto", "Automatic", "native where the network answers per pixel, else upsampled; dense for a finer grid"
    SLIDING_WINDOW = "sliding-window", "Sliding window", "classify a window at every grid position"
    DIRECT = "direct", "Direct", "give each prediction to its whole receptive field"
    COARSE = "coarse", "Coarse", "the fully convolutional network's own grid, one cell a unit"
    UPSAMPLED = "upsampled", "Upsampled", "the grid's logits upsampled to every pixel"
    SHIFT_AND_STITCH = "shift-and-stitch", "Shift and stitch", "the coarse network on every shift, interleaved"
    DENSE = "dense", "Dense (à trous)", "strides become dilation: a unit at every pixel in one pass"
    NATIVE = "native", "Native", "the network already answers per pixel"


class Equality(Choice):
    """Whether a map's numbers are those of the classifier on windows (lecture T19)."""

    EVERYWHERE = "everywhere", "Exact everywhere", "every unit is the classifier on its window"
    INTERIOR = "interior", "Exact in the interior", "every unit whose field lies inside the image is"
    NONE = "none", "Need not equal the classifier on windows", "a window sees what the whole image does not have"


class Upsampling(Choice):
    """How logits on a grid become logits at every pixel."""

    NEAREST = "nearest", "Nearest", "each pixel takes the nearest unit"
    BILINEAR = "bilinear", "Bilinear", "linear between the four units around a pixel"
    BICUBIC = "bicubic", "Bicubic", "cubic through the sixteen units around a pixel"
    TRANSPOSED = "transposed", "Transposed", "transposed convolution with a bilinear kernel; fades at the border"


class Pooling(Choice):
    """What becomes of a global pooling when a classifier is made convolutional."""

    AUTO = "auto", "Automatic", "the class activation map where the network ends in global pooling"
    NONE = "none", "None", "no pooling: the class activation map"
    WINDOW = "window", "Window", "pooling kept at its native size, as in the classifier's own window"


class MaskColours(Choice):
    """What the colours of a mask stand for."""

    AUTO = "auto", "By content", "palette.txt beside the mask, else PASCAL VOC or Cityscapes, whichever has all colours"
    VOC = "voc", "PASCAL VOC", "the classes of PASCAL VOC, also for an indexed file"
    CITYSCAPES = "cityscapes", "Cityscapes", "the classes of Cityscapes, also for an indexed file"


class View(Choice):
    LABELS = "labels", "Labels", "the most probable class at every pixel"
    HEATMAP = "heatmap", "Heatmap", "the probability of one class"
    IMAGE = "image", "Image", "the photograph alone"


class BackRule(Choice):
    """What a ReLU lets through on the way back from a unit to the pixels (lecture T13)."""

    GRADIENT = "gradient", "Gradient", "where the ReLU was on: the derivative"
    DECONVNET = "deconvnet", "Deconvnet", "what is positive on the way back (Zeiler and Fergus 2014)"
    GUIDED = "guided", "Guided backpropagation", "what is positive, where the ReLU was on (Springenberg et al. 2015)"


class Glow(Choice):
    """What lights up in the field of the pinned unit."""

    NONE = "none", "No glow", "the field's box alone"
    EFFECTIVE = "effective", "Effective field", "how much each pixel of the field moves the unit: its gradient"
    DECONVNET = "deconvnet", "Deconvnet", "the unit projected back to pixels, by what is positive on the way"
    GUIDED = "guided", "Guided", "the same, only where a ReLU was on: guided backpropagation"


class Heat(Choice):
    """What a heatmap of a class shows (lecture T18, T32)."""

    PROBABILITY = "probability", "Probability", "how sure the network is of the class at every place"
    CAM = "cam", "CAM", "the maps before global average pooling, times the class's weights"
    GRAD_CAM = "grad-cam", "Grad-CAM", "the maps of the selected layer, times the class's mean gradients"


class Area(Choice):
    """Over which part of a network's answer a class's score is taken, for its gradient."""

    AUTO = "auto", "Automatic", "the whole answer of a classifier, the class's own pixels of a segmentation"
    IMAGE = "image", "Whole image", "all units of the answer"
    LABEL = "label", "Label", "the pixels that the network gives to the class"
    BOX = "box", "Box", "the units inside a box"
    UNIT = "unit", "Unit", "the one unit that answers for a pixel"


class TrainingPage(Choice):
    """What the training laboratory shows in the place of the image."""

    IMAGE = "image", "Image", "the image, as in the other tabs"
    CURVES = "curves", "Curves", "loss and scores of the runs, and what the network answers by now"
    CLASSES = "classes", "Classes", "what each class counts in the loss (class re-weighting)"
    WEIGHT_MAP = "weight-map", "Weight map", "U-Net's weight map w(x): what each pixel between touching cells counts"


class RecipeName(Choice):
    """What segviz trains; how stands in `RECIPES` (`training/recipes`)."""

    LENET5 = "lenet5", "LeNet-5 on digits", "the lecture's classifier on 8,000 handwritten digits"
    DIGITS_FCN = "digits-fcn", "FCN-32s, 16s and 8s on digit pages", "three depths of one network, taught together"
    DIGITS_SEGNET = "digits-segnet", "SegNet on digit pages", "max-unpooling at the places of the maxima"
    DIGITS_ALLCONV = "digits-allconv", "Convolutions alone on digit pages", "no pooling: every unit sees 21 pixels"
    FCN_SCENES = "fcn-scenes", "FCN-32s, 16s and 8s on scenes", "a pretrained classifier learns where things are"
    UNET_CELLS = "unet-cells", "U-Net on cells", "gaps between touching cells weigh most: U-Net's weight map"
    UNET_CELLS_PLAIN = "unet-cells-plain", "U-Net without the weight map", "the same, with weights by class alone"
    HEADS_DENSE = "heads-dense", "Head: dense", "a small Network in Network that ends in a dense layer"
    HEADS_DROPOUT = "heads-dropout", "Head: dense + dropout", "the same with dropout before its dense layer"
    HEADS_GAP = "heads-gap", "Head: global average pooling", "the same with a map for every class, averaged"


class DataName(Choice):
    """What segviz brings to learn from; what makes it stands in `SOURCES` (`training/recipes`)."""

    DIGITS = "digits", "Digits", "10,000 handwritten digits of MNIST"
    DIGIT_PAGES = "digit-pages", "Digit pages", "the same digits scattered on pages, with the truth of every pixel"
    STAMPS = "stamps", "Cut-out scenes", "things on photographs, of four packages of Debian: docs/training.md"
    CELLS = "cells", "Drawn cells", "touching cells as under a microscope, drawn by a program"
    CLOTHES = "clothes", "Clothes", "12,000 photographs of clothes, of Fashion-MNIST"


class CompareView(Choice):
    """How kept results are shown beside the newest."""

    NONE = "none", "Off", "the newest result alone"
    SIDE_BY_SIDE = "side-by-side", "Side by side", "up to four results with linked zoom and cursor"
    CURTAIN = "curtain", "Curtain", "the kept result left of a handle, the newest right of it"
    DIFFERENCE = "difference", "Difference", "where labels differ, striped in the colours of both"


class NetworkView(Choice):
    """What of the network has the canvas's place."""

    NONE = "none", "Image", "the image in its place"
    PICTURE = "picture", "Picture", "all layers as volumes to scale, and what goes into what"
    WHAT_IF = "what-if", "What if", "change kernels, strides, dilations and paddings, and see what would follow"


class Device(Choice):
    AUTO = "auto", "Automatic", "the fastest device present"
    CPU = "cpu", "CPU", "the processor"
    CUDA = "cuda", "CUDA", "an NVIDIA or AMD graphics card"
    MPS = "mps", "MPS", "Apple's graphics processor"


class ColourMap(Choice):
    """Perceptual colour maps for probabilities; `DIVERGING` is for signed values."""

    MAGMA = "magma", "Magma"
    VIRIDIS = "viridis", "Viridis"
    CIVIDIS = "cividis", "Cividis"
    GREY = "grey", "Grey"
    DIVERGING = "diverging", "Diverging"


class Palette(Choice):
    """Colours of classes."""

    AUTO = "auto", "Automatic", "Okabe-Ito for up to eight classes, an ordered large set above"
    OKABE_ITO = "okabe-ito", "Okabe-Ito", "eight colours that colour-blind people tell apart"
    GLASBEY = "glasbey", "Glasbey-like", "256 colours, each far from those before it"
    VOC = "voc", "PASCAL VOC", "the palette of the PASCAL VOC label images"
    CITYSCAPES = "cityscapes", "Cityscapes", "the palette of the Cityscapes label images"


class MapPage(Choice):
    """The pages of the tab of feature maps."""

    MAPS = "maps", "Maps", "all feature maps of the layer"
    FILTERS = "filters", "Filters", "the weights that make the maps, beside the map that they make"
    PATCHES = "patches", "Patches", "what a map answers to most strongly, over many images"


class PatchSource(Choice):
    """Which images are gone through for what a map answers to."""

    SHIPPED = "shipped", "Shipped images", "the photographs and pages that segviz brings"
    FOLDER = "folder", "Image's folder", "all images of the folder that the open image lies in"


class FilterScale(Choice):
    """Range of weights that the colours of a filter span, from its negative to it."""

    FILTER = "filter", "Per filter", "the largest weight of the filter"
    LAYER = "layer", "Per layer", "the largest weight of all filters of the layer"


class MapOrder(Choice):
    """Order of the feature maps of a layer."""

    INDEX = "index", "Index"
    MEAN = "mean", "Mean"
    MAXIMUM = "maximum", "Maximum"
    SPARSITY = "sparsity", "Sparsity"
    CURSOR = "cursor", "Response at cursor"


class MapScale(Choice):
    """Range of values that a feature map's grey levels span."""

    MAP = "map", "Per map"
    LAYER = "layer", "Per layer"
    SIGNED = "signed", "Signed about zero"


class Theme(Choice):
    SYSTEM = "system", "Follow the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"
