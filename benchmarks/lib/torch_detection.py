"""torchvision's side of the comparison of detectors, run by `process`; see `detection_steps` for the requests.

    python -m benchmarks.lib.torch_detection eager|compiled

Both sides have the same weights, images, objects and numbers of proposals and samples.
"""

import os
import sys

import numpy as np
import torch
import torchvision
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from benchmarks.lib.detection_steps import _EVERYTHING, CLASSES, MEAN, SAMPLES, STD, WIDTHS
from benchmarks.lib.process import serve

_LOSSES = ("loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg", "loss_mask")


class Torch:
    """A Mask R-CNN of torchvision."""

    compiled = False

    def __init__(self, backbone: str, full: bool, height: int, width: int, batch: int, file: str):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        shared = np.load(file)
        self.net = _network(backbone, full, height, width, float(shared["threshold"]))
        weights = {name[8:]: torch.from_numpy(shared[name]) for name in shared.files if name.startswith("weights/")}
        missing = self.net.load_state_dict(weights, strict=False)
        if missing.unexpected_keys or any("num_batches" not in name for name in missing.missing_keys):
            raise RuntimeError(f"{missing}")
        self.full, parts = full, self.net.backbone.body
        for part in (parts.conv1, parts.bn1, parts.layer1) if full else ():
            part.requires_grad_(False)
        parameters = [one for one in self.net.parameters() if one.requires_grad]
        self.optimizer = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9, weight_decay=1e-4)
        self.pixels = [torch.from_numpy(shared[f"{i}/pixels"]) for i in range(batch)]
        self.targets = [
            {"boxes": torch.from_numpy(shared[f"{i}/boxes"]), "masks": torch.from_numpy(shared[f"{i}/masks"]),
             "labels": torch.from_numpy(shared[f"{i}/labels"]).long() + 1}
            for i in range(batch)
        ]  # fmt: skip
        self.net.to(memory_format=torch.channels_last)
        if self.compiled:
            _compile(self.net)

    def _images(self) -> list[torch.Tensor]:
        return [pixels.permute(2, 0, 1).float() / 255 for pixels in self.pixels]

    def _train(self) -> None:
        self.net.train()
        if self.full:  # norms evaluate, their scale and shift are trained
            for part in self.net.modules():
                if isinstance(part, torch.nn.BatchNorm2d):
                    part.eval()

    def step(self) -> None:
        """Run one training step."""
        self._train()
        loss = sum(self.net(self._images(), self.targets).values())
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def losses(self) -> list[float]:
        """The losses of the batch when all anchors and rois are learned from."""
        self._train()
        stages = self.net.rpn, self.net.roi_heads
        kept = [stage.fg_bg_sampler for stage in stages]
        for stage, share in zip(stages, (0.5, 0.25), strict=True):
            stage.fg_bg_sampler = BalancedPositiveNegativeSampler(_EVERYTHING, share)
        with torch.no_grad():
            found = self.net(self._images(), self.targets)
        for stage, sampler in zip(stages, kept, strict=True):
            stage.fg_bg_sampler = sampler
        return [float(found[name]) for name in _LOSSES]

    def _detect(self) -> list[dict[str, torch.Tensor]]:
        self.net.eval()
        with torch.inference_mode():
            return self.net(self._images())

    def found(self) -> list[list[float]]:
        """Number of detections of each image, and the sum of their scores."""
        return [[len(one["scores"]), float(one["scores"].sum())] for one in self._detect()]

    def infer(self) -> None:
        """Detect in the batch."""
        self._detect()


class Compiled(Torch):
    """After torch.compile."""

    compiled = True


def _network(backbone: str, full: bool, height: int, width: int, threshold: float) -> MaskRCNN:
    anchors, rois, proposals = SAMPLES[full]
    widths = WIDTHS[full]
    channels, masks = widths["fpn_channels"], widths["mask_widths"]
    body = getattr(torchvision.models, backbone)(weights=None, norm_layer=torch.nn.BatchNorm2d)
    last = 2048 if backbone == "resnet50" else 512
    pyramid = BackboneWithFPN(
        body, {f"layer{i}": str(i - 1) for i in range(1, 5)}, [last // 8, last // 4, last // 2, last], channels
    )
    return MaskRCNN(
        pyramid, None, min_size=min(height, width), max_size=max(height, width), image_mean=MEAN, image_std=STD,
        rpn_pre_nms_top_n_train=proposals, rpn_post_nms_top_n_train=proposals, rpn_pre_nms_top_n_test=proposals // 2,
        rpn_post_nms_top_n_test=proposals // 2, rpn_batch_size_per_image=anchors, box_batch_size_per_image=rois,
        box_score_thresh=threshold, box_head=TwoMLPHead(channels * 49, widths["box_width"]),
        box_predictor=FastRCNNPredictor(widths["box_width"], CLASSES + 1), mask_head=MaskRCNNHeads(channels, masks, 1),
        mask_predictor=MaskRCNNPredictor(masks[-1], channels, CLASSES + 1),
    )  # fmt: skip


def _compile(net: MaskRCNN) -> None:
    """Compile what computes; what lies between, with shapes that change at each step, stays eager."""
    heads = net.roi_heads
    net.backbone, net.rpn.head = torch.compile(net.backbone), torch.compile(net.rpn.head)
    for name in ("box_head", "box_predictor", "mask_head", "mask_predictor"):
        setattr(heads, name, torch.compile(getattr(heads, name), dynamic=True))


if __name__ == "__main__":
    serve({"eager": Torch, "compiled": Compiled}[sys.argv[1]])
