"""Export a detector: three graphs, a card and a program for each target, compared with the network on images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.image_notes import BadImage
from ..deploy.check import ROUNDING
from ..deploy.detector_bundle import complete_detector, exported_card
from ..deploy.detector_check import DetectionAgreement, differences, sample_inputs
from ..deploy.detector_graphs import open_parts, write_parts
from ..deploy.export import READERS, Exported
from ..deploy.load_run import load_run
from ..deploy.staging import staged
from ..deploy.targets import ExportTarget
from ..detect.results import Detections
from ..models.detection import Detector, detector_record
from ..nn.boxes import iou
from ..utils.errors import UserError, engine_reason
from ..utils.log import get_logger
from ..utils.paths import check_utf8
from ..utils.progress import Progress
from ..utils.seed import generator
from .detection_data import open_sets, run_config
from .detector import TrainedDetector, is_detector, named_detector, of_network
from .export_options import chosen_targets

_IMAGES = 4  # that detections are compared on
_ROIS, _MASKS = 300, 30  # that MXNet's graphs are measured with; fewer where the detector takes fewer
_ALIKE = 0.9  # IoU
_INT8 = "int8 is for classifiers: of a detector take float32, float16 or bfloat16"


def exports_detector(target: str | Path) -> bool:
    """Whether `target` is a detector's run folder or, where no such path exists, a detector's name."""
    return is_detector(target) if Path(target).exists() else detector_record(str(target)) is not None


def export_detector(
    target: str | Path,
    formats: Sequence[str] | None,
    precisions: Sequence[str] | None,
    output: str | Path | None,
    params: str | Path | None,
    input_size: int | None,
    data_dir: str | Path | None,
    without_effect: Mapping[str, Any],
) -> list[Exported]:
    """Export a detector to OUTPUT/TARGET for each target.

    Args:
        target: run folder, or name of a detector.
        formats, precisions: as of `export.export`; no int8.
        output: folder to write to (default: RUN/export, or runs/MODEL/export).
        params: parameter file of the named detector.
        input_size: side of the square canvas of a named detector (default: images of 800 to 1333).
        data_dir: folder of the run's data set.
        without_effect: options of classifiers; those that are given are refused.

    Raises:
        UserError: an option has no effect, or as of `export.export`.
    """
    for name, value in without_effect.items():
        if value:
            raise UserError(f"option {name} has no effect on a detector: leave it out")
    kinds = [kind for kind in precisions or ("float32",) if kind != "int8"]
    if not kinds:
        raise UserError(f"option precision {_INT8}")
    if len(kinds) < len(precisions or ()):
        get_logger().warning("left out: %s", _INT8)
    targets = chosen_targets(list(formats or []) or None, kinds, False, [])
    detector, images, folder = _opened(target, params, input_size, data_dir)
    folder = Path(output or folder)
    for one in targets:
        if one.format in READERS:
            check_utf8(folder, READERS[one.format])
    with staged(folder, "folders") as place, Progress("exporting", len(targets), "target") as progress:
        get_logger().info("exporting %s as %s to %s", target, ", ".join(map(str, targets)), folder)
        reference, exported = _Reference(detector, images), []
        for one in targets:
            progress.update(0, str(one))
            exported.append(reference.export(one, *place(one)))
            progress.update(1, str(one))
        return exported


def _opened(
    target: str | Path, params: str | Path | None, input_size: int | None, data_dir: str | Path | None
) -> tuple[TrainedDetector, list[np.ndarray], Path]:
    """(network, images to compare on, folder to write to)."""
    if Path(target).exists():
        if params or input_size:
            raise UserError("option params and option input_size go with the name of a model, not with a run folder")
        net, card = load_run(target)
        assert isinstance(net, Detector)
        detector = of_network(net, card)
        return detector, _images(detector, _test_images(target, data_dir)), Path(target) / "export"
    if data_dir:
        raise UserError("option data_dir goes with a run folder: leave it out")
    if not params:
        raise UserError(f"{target} is a detector without weights: name its parameter file with option params")
    detector = named_detector(str(target), params, input_size)
    return detector, _images(detector, []), Path("runs") / target / "export"


def _test_images(run: str | Path, data_dir: str | Path | None) -> list[np.ndarray]:
    """Some test images of a run; none, with a warning, where its data are not at hand."""
    config = run_config(run, data_dir)
    try:
        _, test = open_sets(config)
        return [test.pixels(number) for number in range(min(_IMAGES, len(test)))]
    except (UserError, BadImage) as error:
        if data_dir:
            raise UserError(str(error)) from None
        get_logger().warning("the check uses random images: %s", error)
        return []


def _images(detector: TrainedDetector, images: list[np.ndarray]) -> list[np.ndarray]:
    """The images, or random ones, and one of the other orientation where the detector has a canvas for it."""
    canvases = detector.placement.canvases
    if not images:
        height, width = canvases.landscape
        images = [generator(0).integers(0, 256, (height, width, 3), dtype=np.uint8)]
    both = {image.shape[0] > image.shape[1] for image in images}
    if len(both) == 1 and canvases.landscape != canvases.portrait and images[0].shape[0] != images[0].shape[1]:
        images = [*images, np.ascontiguousarray(np.rot90(images[0]))]
    return images


class _Reference:
    """The network that exports are compared with."""

    def __init__(self, detector: TrainedDetector, images: list[np.ndarray]) -> None:
        assert isinstance(detector.net, Detector)
        self._detector, self._images, self._net = detector, images, detector.net
        self._card = exported_card(detector.net, detector.card)
        self._found = detector.detect(images)
        inputs = [detector.place(image).image[None] for image in images]
        self._canvases = list({one.shape: one for one in inputs}.values())
        most = detector.inference
        rois, masks = min(_ROIS, most.proposals.after), min(_MASKS, most.most)
        self._inputs = sample_inputs(detector.net, self._card, self._canvases[0], rois, masks)

    def export(self, target: ExportTarget, scratch: Path, folder: Path) -> Exported:
        """Write to `scratch` the bundle that will be `folder`, and compare it."""
        graphs = write_parts(target, self._net, self._card, scratch, self._inputs)
        opened, about = open_parts(scratch, self._card, graphs, target.format), self._detector
        try:
            raw = [differences(self._net, opened, one) for one in self._canvases]
        except Exception as error:  # each engine has its own
            raise UserError(
                f"nothing was exported: {target} does not compute images of both canvases ({engine_reason(error)}); "
                "train with option square"
            ) from None
        largest = {name: max(one[name] for one in raw) for name in raw[0]}
        exported = TrainedDetector(
            self._net.geometry, self._card, about.placement, about.inference, opened, target.format, target.precision
        )
        agreement = compared(self._found, exported.detect(self._images), largest)
        if not agreement.good(ROUNDING[target.precision], target.precision == "float32"):
            raise UserError(f"nothing was exported: {target} differs from the trained network: {agreement.told}")
        check = {**{name: getattr(agreement, name) for name in ("images", "difference", "graphs")}}
        check |= {name: getattr(agreement, name) for name in ("detections", "alike", "pixels", "scores")}
        described = complete_detector(target, scratch, self._card, graphs, check)
        return Exported(target, folder, agreement, described)


def compared(wanted: Sequence[Detections], found: Sequence[Detections], graphs: dict[str, float]) -> DetectionAgreement:
    """Compare what two detectors find in some images.

    Args:
        wanted: what the network finds.
        found: what the exported one finds.
        graphs: differences of the graphs' outputs.
    """
    pixels, scores = [0.0], [0.0]
    for one, other in zip(wanted, found, strict=True):
        overlaps = iou(one.boxes, other.boxes) * (one.labels[:, None] == other.labels[None])
        for number, row in enumerate(overlaps):
            if len(row) and row.max() >= _ALIKE:
                best = int(row.argmax())
                pixels.append(float(np.abs(one.boxes[number] - other.boxes[best]).max()))
                scores.append(float(abs(one.scores[number] - other.scores[best])))
    count = sum(map(len, wanted))
    return DetectionAgreement(graphs, len(wanted), count, len(pixels) - 1, max(pixels), max(scores))
