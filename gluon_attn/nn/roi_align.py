"""RoIAlign over the levels of a pyramid: each roi is pooled from its own level.

He et al. 2017, https://arxiv.org/abs/1703.06870; Lin et al. 2017, https://arxiv.org/abs/1612.03144.
"""

from collections.abc import Sequence
from typing import Any

from .tracing import Tensor, compiled

_SMALLEST = 1e-3  # pixels of the image; MXNet's aligned operator ends the process on rois without area


def roi_align(
    F: Any,
    maps: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    size: tuple[int, int],
    scales: Sequence[float],
    sampling: int = 2,
    aligned: bool = False,
) -> Tensor:
    """Pool each roi from the feature map of its level.

    Inside `kernels.compiled_operators()` one operator does it; elsewhere each map is pooled by MXNet's RoIAlign with a
    valid roi in place of those of other levels, which are then masked; there an aligned roi without area is a
    thousandth of a pixel wide and high. No gradient goes to the rois.

    Args:
        F: `mx.nd` or `mx.sym`.
        maps: feature maps (B,C,H,W) of the levels 0, 1 ...
        rois: (N,5): number of the image in the batch, x1, y1, x2, y2 in pixels of the image.
        levels: (N,) index of each roi's map, in the dtype of `rois`.
        size: (h,w) of the result.
        scales: pixels of each map per pixel of the image, such as 1/4.
        sampling: points a bin along each axis; 0: one per pixel of the map, adapted to the roi.
        aligned: rois are shifted by half a pixel of the map, as Detectron2 and MMDetection do; else they are at least
            one pixel of the map wide and high, as torchvision's Mask R-CNN has it.

    Returns:
        (N,C,h,w); zeros for a roi on no level.
    """
    if compiled():
        return F.gluon_attn_roi_align(
            *maps, rois, levels, levels=len(maps), height=size[0], width=size[1], sampling=sampling,
            aligned=int(aligned), scales=",".join(map(repr, map(float, scales))),
        )  # fmt: skip
    given, rois = rois, F.BlockGrad(_with_area(F, rois) if aligned else rois)
    column = F.expand_dims(F.BlockGrad(levels), axis=1)
    pooled = 0
    for level, (one, scale) in enumerate(zip(maps, scales, strict=True)):
        of_level = column == level
        own = F.broadcast_mul(rois, of_level) + F.broadcast_mul(_valid(F, rois), 1 - of_level)
        found = F.contrib.ROIAlign(
            one, own, pooled_size=size, spatial_scale=scale, sample_ratio=sampling or -1, aligned=aligned
        )
        pooled = pooled + F.broadcast_mul(found, F.reshape(of_level, shape=(-1, 1, 1, 1)))
    if aligned and not sampling:  # no pixel, no point
        pooled = F.broadcast_mul(pooled, F.reshape(_has_area(F, given), shape=(-1, 1, 1, 1)))
    return pooled


def roi_align_by_level(
    F: Any,
    maps: Sequence[Tensor],
    rois: Sequence[Tensor],
    order: Tensor,
    size: tuple[int, int],
    scales: Sequence[float],
    sampling: int = 2,
    aligned: bool = False,
) -> Tensor:
    """`roi_align` of rois that are grouped by level already, by operators that other engines have, too.

    Args:
        F: as of `roi_align`, like `maps`, `size`, `scales`, `sampling` and `aligned`.
        maps: of the levels.
        rois: of each level (n,5), at least one where MXNet computes; aligned ones must have an area.
        order: (N,) for each row of the result, which of all rois it is, counted over the levels.
        size: of the result.
        scales: of the maps.
        sampling: points a bin.
        aligned: whether rois are shifted.

    Returns:
        (N,C,h,w).
    """
    pooled = [
        F.contrib.ROIAlign(
            one, own, pooled_size=size, spatial_scale=scale, sample_ratio=sampling or -1, aligned=aligned
        )
        for one, own, scale in zip(maps, rois, scales, strict=True)
    ]
    return F.take(F.concat(*pooled, dim=0), order, axis=0)


def _valid(F, rois):
    """A roi of one pixel of the first image, (1,5)."""
    zero = F.zeros_like(F.slice_axis(F.slice_axis(rois, axis=0, begin=0, end=1), axis=1, begin=0, end=3))
    return F.concat(zero, F.slice_axis(zero, axis=1, begin=0, end=2) + 1, dim=1)


def _has_area(F, rois):
    low, high = F.slice_axis(rois, axis=1, begin=1, end=3), F.slice_axis(rois, axis=1, begin=3, end=5)
    return F.prod(F.BlockGrad(high > low), axis=1)


def _with_area(F, rois):
    first = F.slice_axis(rois, axis=1, begin=0, end=3)
    low, high = F.slice_axis(rois, axis=1, begin=1, end=3), F.slice_axis(rois, axis=1, begin=3, end=5)
    return F.concat(first, F.broadcast_maximum(high, low + _SMALLEST), dim=1)
