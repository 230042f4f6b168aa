"""A detector: Faster R-CNN, or Mask R-CNN with a mask head, on a feature pyramid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mxnet.gluon import HybridBlock

from ...nn.boxes import cell_anchors
from ...utils.checks import above, is_number, positive, positive_error, positives, switch
from ...utils.errors import UserError
from .backbone import Features
from .geometry import Geometry
from .heads import BoxHead, MaskHead
from .pyramid import STRIDES, PyramidGraph

#: weights of the box coding of the first and the second stage
PROPOSAL_WEIGHTS, BOX_WEIGHTS = (1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)


@dataclass(frozen=True)
class Graphs:
    """What computes: the graphs of a detector, in some dtype and mode, or those of an exported one.

    Attributes:
        body, box_head: as of `Detector`.
        mask_head: None without masks.
    """

    body: Callable[..., Any]
    box_head: Callable[..., Any]
    mask_head: Callable[..., Any] | None


class Detector(HybridBlock):
    """Three graphs: backbone with pyramid and proposals, box head, mask head. What lies between them is NumPy's.

    It is no single graph: `body`, `box_head` and `mask_head` are hybridized, exported and called each for itself; see
    `detect.inference` for images to detections.

    Args:
        net: the classification network whose stages are the backbone.
        classes: without the background.
        masks: with a mask head (Mask R-CNN); False: Faster R-CNN.
        fpn_channels: of the pyramid.
        box_width: of the box head's dense layers.
        box_widths: channels of 3x3 convolutions before them; then there is one dense layer (default: none, and two).
        mask_widths: channels of the mask head's 3x3 convolutions.
        mask_channels: channels of its transposed convolution (default: `fpn_channels`).
        anchor_sizes: of P2 to P6, square roots of areas in pixels.
        anchor_ratios: height / width.
        anchors_rounded: anchors have whole corners, see `nn.boxes.cell_anchors`.
        roi_sampling, roi_aligned: as of `nn.roi_align.roi_align`.
        roi_scale: side in pixels of a box that is pooled from P4.
        head_norm: "batch" or "group": norms after the convolutions of pyramid and heads, which then have no biases;
            "none": as in the papers.

    Attributes:
        body: image -> pyramid and proposals.
        box_head: pyramid and rois -> classes and boxes.
        mask_head: pyramid and rois -> masks; None without masks.
        geometry: where its anchors are.
        anchors, roi_scale: those of `geometry`.

    Raises:
        UserError: an option is wrong.
    """

    reference_key = "detector"

    mask_head: MaskHead | None

    def __init__(
        self,
        net: HybridBlock,
        classes: int,
        masks: bool = True,
        *,
        fpn_channels: int = 256,
        box_width: int = 1024,
        box_widths: Sequence[int] = (),
        mask_widths: Sequence[int] = (256, 256, 256, 256),
        mask_channels: int | None = None,
        anchor_sizes: Sequence[int] = (32, 64, 128, 256, 512),
        anchor_ratios: Sequence[float] = (0.5, 1.0, 2.0),
        anchors_rounded: bool = True,
        roi_sampling: int = 2,
        roi_aligned: bool = False,
        roi_scale: int = 224,
        head_norm: str = "none",
    ) -> None:
        super().__init__()
        channels, sampling = positive("fpn_channels", fpn_channels), _sampling(roi_sampling)
        pooling = sampling, switch("roi_aligned", roi_aligned)
        sizes = positives("anchor_sizes", anchor_sizes, len(STRIDES), "level")
        rounded = switch("anchors_rounded", anchors_rounded)
        ratios = _ratios(anchor_ratios)
        cells = [cell_anchors([size], ratios, rounded) for size in sizes]
        self.geometry = Geometry(cells, positive("roi_scale", roi_scale))
        self.anchors, self.roi_scale = self.geometry.anchors, self.geometry.roi_scale
        with self.name_scope():
            self.body = PyramidGraph(Features(net), channels, len(anchor_ratios), head_norm)
            self.box_head = BoxHead(
                channels, positive("box_width", box_width), positives("box_widths", box_widths, None, "convolution"),
                classes, *pooling, head_norm,
            )  # fmt: skip
            self.mask_head = None
            if masks:
                self.mask_head = MaskHead(
                    channels, positives("mask_widths", mask_widths, None, "convolution"),
                    channels if mask_channels is None else positive("mask_channels", mask_channels), classes, *pooling,
                    head_norm,
                )  # fmt: skip

    def computed_by(self, make: Callable[[HybridBlock], Callable]) -> Graphs:
        """The graphs, each in the form that `make` gives it, such as `engine.precision.computing`."""
        return Graphs(make(self.body), make(self.box_head), self.mask_head and make(self.mask_head))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """(B,3,H,W) -> the outputs of `body`: so that shapes and costs can be told as of any network."""
        return self.body(x)


def _ratios(values: Any) -> list[float]:
    if not isinstance(values, list | tuple) or not values:
        raise UserError(f"anchor_ratios must list numbers above 0, got {values!r}")
    return [above("anchor_ratios", value) for value in values]


def _sampling(value: Any) -> int:
    """Points per side of a bin; 0 takes as many as its size needs."""
    if is_number(value) and value == 0:
        return 0
    if positive_error(value):
        raise UserError(f"roi_sampling must be a whole number from 0 on, got {value!r}")
    return int(value)
