"""The options by which the ResNets with PyTorch's parameter names differ."""

from dataclasses import dataclass

from ...utils.checks import positive
from ...utils.errors import UserError


@dataclass(frozen=True)
class Design:
    """Options of the layers of a `TorchResNet`.

    Attributes:
        kind: "basic" or "bottleneck" blocks.
        widths: channels of each stage: of a basic block, or inside a bottleneck, whose output has 4 times as many.
        groups: groups of a bottleneck's 3x3 convolution, as in ResNeXt.
        base_width: channels inside a bottleneck, in each group, where the stage has a width of 64.
        group_size: channels in each group, in place of their number. None: `groups` counts.
        bias: the convolutions have biases.
        shortcut: shortcut of a block that changes the shape. "conv": a 1x1 convolution and a norm (option B of He et
            al. 2015). "average": average pooling before these (version 1d). "pad": zero channels, no weights (option
            A).
        stem: "large": a 7x7 convolution and max pooling. "deep": three 3x3 instead of the 7x7 (version 1d). "tiered":
            deep, with fewer channels in the first 3x3 (timm's version t). "small": one 3x3.
        stem_width: channels of the large (default 64) or small (default 16) stem; of the second convolution of a deep
            or tiered stem (default 32), whose third has twice as many and, if tiered, whose first has three quarters.
        stem_pool: False: the last convolution of a deep or tiered stem has stride 2 in place of the max pooling.
        activation: name of all activations.
        final_width: channels of a 1x1 convolution, with norm and activation, after the last stage. None: without it.
        head: attribute name of the dense layer.
    """

    kind: str = "basic"
    widths: tuple[int, ...] = (64, 128, 256, 512)
    groups: int = 1
    base_width: int = 64
    group_size: int | None = None
    bias: bool = False
    shortcut: str = "conv"
    stem: str = "large"
    stem_width: int | None = None
    stem_pool: bool = True
    activation: str = "relu"
    final_width: int | None = None
    head: str = "fc"

    def __post_init__(self) -> None:
        plain = (positive("groups", self.groups), positive("base_width", self.base_width), self.group_size)
        if self.kind != "bottleneck" and plain != (1, 64, None):
            raise UserError("groups, base_width and group_size are for bottlenecks: a basic block has no groups")
        if self.group_size is None:
            return
        if self.groups != 1:
            raise UserError(f"give groups or group_size, not both: got {self.groups} and {self.group_size}")
        for width in self.widths:
            inside, _ = self.inside(width)
            if inside % positive("group_size", self.group_size):
                raise UserError(f"group_size {self.group_size} does not divide the width {inside} of a stage")

    def inside(self, width: int) -> tuple[int, int]:
        """The convolutions inside a bottleneck.

        Args:
            width: of the stage.

        Returns:
            Their channels, and the groups of the 3x3.

        Raises:
            UserError: there would be none.
        """
        channels = width * self.base_width // 64 * self.groups
        if not channels:
            raise UserError(f"base_width {self.base_width} is too small for a stage of width {width}")
        return channels, channels // self.group_size if self.group_size else self.groups
