"""Export a run folder or a named model: which network, which targets, which images to verify with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..utils import cpu
from ..utils.paths import check_output_folder, expanded

if TYPE_CHECKING:
    from ..deploy.bench import Speed
    from ..deploy.export import Exported
    from ..deploy.targets import ExportTarget
    from ..deploy.verify import ExportChecks
    from .export_sources import TrainedNetwork

CALIBRATION_IMAGES, MAX_DROP, BATCH_SIZE = 128, 1.0, 8


class Exports(list["Exported"]):
    """What `export` wrote: a list of `deploy.export.Exported`.

    Args:
        exported: One for each target.
        speeds: As the attribute.

    Attributes:
        speeds: With `for_speed`, the `deploy.bench.Speed` of each target that was measured.
        repositories: Folder of each model repository.
    """

    def __init__(self, exported: "Sequence[Exported]", speeds: "Sequence[Speed]" = ()) -> None:
        super().__init__(exported)
        self.speeds = list(speeds)
        self.repositories: list[Path] = []


def export(
    target: str | Path,
    *,
    format: str | Sequence[str] | None = None,
    precision: str | Sequence[str] | None = None,
    output: str | Path | None = None,
    layout: str | None = None,
    with_preprocessing: bool = False,
    dynamic: bool = False,
    for_speed: bool = False,
    batch_size: int | None = None,
    max_drop: float | None = None,
    calibration: str | None = None,
    calibration_images: int | None = None,
    repository: str | Sequence[str] = (),
    params: str | Path | None = None,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    rec_val: str | Path | None = None,
    input_size: int | None = None,
    no_check: bool = False,
) -> Exports:
    """Export a trained network to files for MXNet, ONNX Runtime or OpenVINO, and verify them.

    Of a detector deploy bundles are written, with a graph for each of body, box head and mask head; the options layout
    "files" to `repository`, `dataset`, `rec_val` and `no_check` and int8 are for classifiers.

    Args:
        target: Run folder, or name of a model.
        format: "symbol", "onnx" and "openvino", one or several (default: symbol; with `for_speed` all).
        precision: "float32", "float16", "bfloat16" and "int8", one or several (default: float32; with `for_speed`
            all). Every existing pair of format and precision is exported.
        output: Folder to write to (default: RUN/export, or runs/MODEL/export).
        layout: "files": float32 symbol and ONNX files of a run side by side in `output`. "folders": a deploy bundle for
            each target, optimized for inference, in OUTPUT/TARGET such as OUTPUT/openvino-int8, with card.json and
            example.py. Default: "files" where only these are asked for and no other option but `with_preprocessing`,
            `data_dir` and `no_check` is given, else "folders".
        with_preprocessing: The graph takes raw images: uint8, N,H,W,C, values 0 to 255.
        dynamic: Height and width are free as well as the batch size.
        for_speed: Measure all targets and export only the fastest one of equal accuracy.
        batch_size: Images per pass that `for_speed` measures (default: 8).
        max_drop: Per cent of accuracy that a target may lose (default: 1).
        calibration: Quantization ranges of MXNet's int8: "naive" (extremes, the default) or "entropy" (least
            divergence; takes minutes).
        calibration_images: Number of training images to calibrate int8 with (default: 128).
        repository: Servers to write a model repository for: "ovms", "triton".
        params: Parameter file of the named model (default: the published one).
        dataset: Data set to verify and calibrate with (default: the one that the network was trained on).
        data_dir: Folder of the data set.
        rec_val: Record file of test images.
        input_size: Height and width of the images of a named model (default: its own).
        no_check: Do not compare the files with the network; layout "files" only.

    Returns:
        A list with a `deploy.export.Exported` for each target.

    Raises:
        UserError: An option is wrong or has no effect, the network or its data cannot be read, or a file differs from
            the network. Nothing is written then.
    """
    from ..deploy.repository import write_repository
    from .export_detector import export_detector, exports_detector
    from .export_options import check_effects, chosen_layout, chosen_targets, several
    from .export_sources import bundle_checks, is_model_name, open_network

    target, output, params = expanded(target), expanded(output), expanded(params)
    check_output_folder(output, "option output")
    formats, precisions, servers = several(format), several(precision), several(repository) or []
    data = {"data_dir": data_dir, "rec_val": rec_val}
    if exports_detector(target):
        refused = {
            "layout": layout == "files" and layout, "with_preprocessing": with_preprocessing, "dynamic": dynamic,
            "for_speed": for_speed, "batch_size": batch_size, "max_drop": max_drop is not None, "no_check": no_check,
            "calibration": calibration, "calibration_images": calibration_images, "repository": servers,
            "dataset": dataset, "rec_val": rec_val,
        }  # fmt: skip
        return Exports(export_detector(target, formats, precisions, output, params, input_size, data_dir, refused))
    special = (
        dynamic, for_speed, batch_size, max_drop is not None, calibration, calibration_images, servers, params,
        dataset, rec_val, input_size, set(precisions or ()) - {"float32"}, "openvino" in (formats or ()),
    )  # fmt: skip
    if chosen_layout(layout, any(special) or is_model_name(target), no_check) == "files":
        return _export_files(target, formats or ["symbol"], output, with_preprocessing, data_dir, not no_check)
    targets = chosen_targets(formats, precisions, for_speed, servers)
    check_effects(targets, for_speed, batch_size, calibration, calibration_images)
    network = open_network(target, params, dataset, input_size, data)
    network = network._replace(card=network.card.replace(preprocess=with_preprocessing, dynamic=dynamic))
    count = (calibration_images or CALIBRATION_IMAGES) if any(one.precision == "int8" for one in targets) else 0
    checks = bundle_checks(network.source, count, MAX_DROP if max_drop is None else max_drop, calibration or "naive")
    folder = Path(output or network.output)
    exports = _export_folders(network, targets, folder, checks, (batch_size or BATCH_SIZE) if for_speed else None)
    exports.repositories = [
        write_repository(exports, network.name, server, folder / f"repository-{server}") for server in servers
    ]
    return exports


def _export_files(
    run: str | Path,
    formats: list[str],
    output: str | Path | None,
    preprocess: bool,
    data_dir: str | Path | None,
    check: bool,
) -> Exports:
    from ..deploy.export import export_run
    from .export_sources import images_to_compare

    images = images_to_compare(run, data_dir) if check else None
    return Exports(export_run(run, formats, output, preprocess, images, check))


def _export_folders(
    network: "TrainedNetwork",
    targets: "list[ExportTarget]",
    folder: Path,
    checks: "ExportChecks",
    batch_size: int | None,
) -> Exports:
    """Write all targets, or with a `batch_size` the one that is fastest with such batches."""
    from ..deploy.export import export_network
    from ..deploy.fastest import export_fastest

    net, card, _, name, _ = network
    if batch_size is None:
        return Exports(export_network(net, card, name, targets, folder, "folders", checks))
    threads = cpu.threads(cpu.Host())[0]
    best, speeds = export_fastest(net, card, name, targets, folder, checks, batch_size, threads)
    return Exports([best], speeds)
