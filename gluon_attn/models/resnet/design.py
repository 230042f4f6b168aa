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
        groups: of the 3x3 of a bottleneck (ResNeXt), which has int(width * base_width / 64) * groups channels, as in
            torchvision. A module of a plan in its place has groups by an option of its own, if at all.
        base_width: see groups: more channels inside a bottleneck (wide ResNets: 128).
        group_size: channels in each group of the 3x3 of a bottleneck, in place of `groups` (timm's ResNeXt-26ts). None:
            `groups` counts.
        reduce_first: channels of the 3x3 of a bottleneck over those of its first 1x1 (SENet-154: 2).
        bias: the convolutions have biases.
        shortcut: shortcut of a block that changes the shape. "conv": a 1x1 convolution and a norm (option B of He et
            al. 2015). "average": average pooling before these (version 1d). "pad": zero channels, no weights (option
            A).
        shortcut_kernel: kernel size of the shortcuts' convolutions, from stage 2 on (SENet-154: 3).
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
    group_size: int | None = None
    reduce_first: int = 1
    bias: bool = False
    shortcut: str = "conv"
    shortcut_kernel: int = 1
    stem: str = "large"
    stem_width: int | None = None
    stem_pool: bool = True
    stem_pad: bool = True
    activation: str = "relu"
    final_width: int | None = None
    head: str = "fc"

    def __post_init__(self) -> None:
        plain = [positive(name, getattr(self, name)) for name in ("groups", "base_width", "reduce_first")]
        if self.kind != "bottleneck":
            if (*plain, self.group_size) != (1, 64, 1, None):
                raise UserError(
                    "groups, base_width, group_size and reduce_first are for bottlenecks: a basic block has no groups"
                )
            return
        if self.group_size is not None and self.groups != 1:
            raise UserError(f"give groups or group_size, not both: got {self.groups} and {self.group_size}")
        for width in self.widths:
            self.inside(width)

    def inside(self, width: int) -> tuple[int, int, int]:
        """The convolutions inside a bottleneck.

        Args:
            width: of the stage.

        Returns:
            Channels of the first 1x1, channels and groups of the 3x3.

        Raises:
            UserError: there would be none, or the groups do not divide them.
        """
        channels, groups = width * self.base_width // 64 * self.groups, self.groups
        if not channels:
            raise UserError(f"base_width {self.base_width} is too small for a stage of width {width}")
        if self.group_size is not None:
            if channels % positive("group_size", self.group_size):
                raise UserError(f"group_size {self.group_size} does not divide the width {channels} of a stage")
            groups = channels // self.group_size
        if channels % (self.reduce_first * groups):
            raise UserError(
                f"groups={groups} do not divide {channels}/{self.reduce_first} channels after a bottleneck's first 1x1"
            )
        return channels // self.reduce_first, channels, groups
