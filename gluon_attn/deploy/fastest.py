"""The export target that is the fastest on this machine without losing accuracy: `gluon-attn export --for speed`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import mxnet as mx

from ..config.card import Card
from ..utils import cpu
from ..utils.errors import UserError
from ..utils.files import scratch_folder
from ..utils.log import get_logger
from ..utils.rename import install
from .bench import Speed, measure
from .check import Agreement
from .export import Exported, export_network
from .staging import sole_export
from .targets import ExportTarget
from .verify import ExportChecks


def export_fastest(
    net: mx.gluon.HybridBlock,
    card: Card,
    name: str,
    targets: Sequence[ExportTarget],
    output: Path | str,
    checks: ExportChecks,
    batch_size: int = 8,
    threads: int = 1,
) -> tuple[Exported, list[Speed]]:
    """Write OUTPUT/TARGET of the target with the most images per second.

    Targets that lose too much accuracy, or whose library is missing, are left out with a warning; without test images
    all but float32 are.

    Args:
        net: As in `export.export_network`, like `card`, `name`, `output` and `checks`.
        card: `Card` of the network.
        name: Name of the files.
        targets: What to choose from.
        output: Folder to write to.
        checks: What the targets are verified and calibrated with.
        batch_size: Images per pass that is measured.
        threads: Threads of the computation. Each target is measured in a process of its own.

    Returns:
        (what was written, speed of each target).

    Raises:
        UserError: None of the targets can be exported here.
    """
    folder = Path(output)
    speeds: dict[ExportTarget, Speed] = {}
    found: dict[ExportTarget, Exported] = {}
    with sole_export(folder), scratch_folder(folder, folder) as scratch:
        for target in _accurate(targets, checks):
            try:
                (one,) = export_network(net, card, name, [target], scratch, checks=checks)
                speeds[target] = dataclasses.replace(measure(one.path, batch_size, threads), target=str(target))
                found[target] = one
                get_logger().info("%s", speeds[target])
            except UserError as error:
                get_logger().warning("%s is left out: %s", target, error)
        if not speeds:
            raise UserError("none of these targets can be exported here")
        best = max(speeds, key=lambda target: speeds[target].images_per_second)
        install([found[best].path], [folder / str(best)])
    chosen, place = found[best], folder / str(best)
    agreement = chosen.agreement
    if isinstance(agreement, Agreement):
        agreement = dataclasses.replace(agreement, path=str(place))
    return dataclasses.replace(chosen, path=place, agreement=agreement), list(speeds.values())


def _accurate(targets: Sequence[ExportTarget], checks: ExportChecks) -> list[ExportTarget]:
    """The targets to choose from: float32 alone where the accuracy is not known, no bfloat16 that is emulated."""
    if checks.test is None:
        get_logger().warning("without test images only float32 keeps the accuracy for sure: name a data set")
        targets = [target for target in targets if target.precision == "float32"]
    native = cpu.has_bfloat16(cpu.Host())
    return [target for target in targets if native or target.precision != "bfloat16"]
