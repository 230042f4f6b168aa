"""The form that is the fastest here without losing accuracy: `gluon-attn export --for speed`."""

import dataclasses
import os
import tempfile
from pathlib import Path

from ..utils import cpu
from ..utils.errors import UserError
from ..utils.files import atomic_path, ensure_dir
from ..utils.log import get_logger
from .bench import measure
from .bundle import pack


def fastest(net, card, name, wanted, output, material, batch=8, threads=1):
    """Write OUTPUT/FORM of the form in `wanted` with the most images a second; returns (`Packed`, list of `Speed`).

    Arguments as for `package.pack`; batch, threads: what is measured, each form in a process of its own. A form whose
    accuracy drops too far, or whose library is missing, is left out with a warning. Without test images only float32
    is equal for sure.
    """
    output, speeds, packed = ensure_dir(output), {}, {}
    with tempfile.TemporaryDirectory(dir=output, prefix=".speed.") as scratch:
        for form in _equal(wanted, material):
            try:
                (one,) = pack(net, card, name, [form], Path(scratch), material)
                speeds[form] = dataclasses.replace(measure(one.path, batch, threads), target=str(form))
                packed[form] = one
                get_logger().info("%s", speeds[form])
            except UserError as error:
                get_logger().warning("%s is left out: %s", form, error)
        if not speeds:
            raise UserError("none of these forms can be exported here")
        best = max(speeds, key=lambda form: speeds[form].images_per_second)
        with atomic_path(output / str(best)) as place:
            os.rename(packed[best].path, place)
    chosen = dataclasses.replace(packed[best], path=output / str(best))
    return chosen, list(speeds.values())


def _equal(wanted, material):
    """The forms that may serve: of float32 alone where nothing tells the accuracy, no bfloat16 that is emulated."""
    if material.test is None:
        get_logger().warning("without test images only float32 keeps the accuracy for sure: name a --dataset")
        wanted = [form for form in wanted if form.precision == "float32"]
    native = cpu.has_bfloat16(cpu.Host())
    return [form for form in wanted if native or form.precision != "bfloat16"]
