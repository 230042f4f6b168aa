"""The options by which the ResNets with PyTorch's parameter names differ."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Design:
    """Options of the layers of a `TorchResNet`.

    Attributes:
        kind: "basic" or "bottleneck" blocks.
        widths: channels of each stage: of a basic block, or inside a bottleneck, whose output has 4 times as many.
        groups: of the 3x3 of a bottleneck (ResNeXt), which has int(width * base_width / 64) * groups channels, as in
            torchvision. A module of a plan in its place has groups by an option of its own, if at all.
        base_width: see groups: more channels inside a bottleneck (wide ResNets: 128).
        reduce_first: channels of the 3x3 of a bottleneck over those of its first 1x1 (SENet-154: 2).
        bias: the convolutions have biases.
        shortcut: shortcut of a block that changes the shape. "conv": a 1x1 convolution and a norm (option B of He et
            al. 2015). "average": average pooling before these (version 1d). "pad": zero channels, no weights (option
            A).
        shortcut_kernel: kernel size of the shortcuts' convolutions, from stage 2 on (SENet-154: 3).
        dilated: from stage 3 on dilated convolutions in place of strides, which leave maps of an eighth of the images'
            height (GluonCV's, for segmentation).
        stem: "large": a 7x7 convolution and max pooling. "deep": three 3x3 instead of the 7x7 (version 1d). "tiered":
            deep, with fewer channels in the first 3x3 (timm's version t). "small": one 3x3.
        stem_width: channels of the large (default 64) or small (default 16) stem; of the second convolution of a deep
            or tiered stem (default 32), whose third has twice as many and, if tiered, whose first has three quarters.
        stem_pool: False: the last convolution of a deep or tiered stem has stride 2 in place of the max pooling.
        stem_pad: False: the max pooling reaches over the right and lower edge instead of over all four (SENet-154).
        activation: name of all activations.
        final_width: channels of a 1x1 convolution, with norm and activation, after the last stage. None: without it.
        head: attribute name of the dense layer.
    """

    kind: str = "basic"
    widths: tuple[int, ...] = (64, 128, 256, 512)
    groups: int = 1
    base_width: int = 64
    reduce_first: int = 1
    bias: bool = False
    shortcut: str = "conv"
    shortcut_kernel: int = 1
    dilated: bool = False
    stem: str = "large"
    stem_width: int | None = None
    stem_pool: bool = True
    stem_pad: bool = True
    activation: str = "relu"
    final_width: int | None = None
    head: str = "fc"
