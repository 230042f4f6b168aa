"""A tiny MXNet operation in a process of its own, so that `gluon-attn doctor` outlives its crash.

`python -m gluon_attn.runs.mxnet_probe [GPU ...]` prints one line of JSON. `probe` starts it and reads the answer.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mxnet as mx

_SECONDS = 120
_ISA = re.compile(r"^\w+_verbose,info,cpu,isa:(.+)$", re.MULTILINE)


def run_trial(gpus: Sequence[int] = ()) -> dict[str, Any]:
    """Run the operation in a child process, on the CPU and on GPUs.

    Args:
        gpus: ids of the GPUs.

    Returns:
        `problem` (None when all is well), `isa` (the instruction set that oneDNN reports), and unless MXNet died
        `version`, `features` (names of those that are on), `results` (device -> milliseconds) and `kernels` (why the
        compiled operators do not load, or None).
    """
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", __spec__.name, *map(str, gpus)]
    environment = {**os.environ, "PYTHONPATH": path, "DNNL_VERBOSE": "1"}
    try:
        child = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"problem": f"MXNet did not finish within {_SECONDS} seconds", "isa": None}
    isa = _ISA.search(child.stdout)
    answer = [json.loads(line) for line in child.stdout.splitlines() if line.startswith('{"problem"')]
    result = answer[-1] if answer else {"problem": _death(child)}
    return {**result, "isa": isa.group(1) if isa else None}


def _death(child):
    if child.returncode < 0:
        return f"MXNet died with {signal.Signals(-child.returncode).name}"
    lines = child.stderr.strip().splitlines()
    return f"MXNet does not run: {lines[-1] if lines else f'exit code {child.returncode}'}"


def convolve(device: "mx.Context") -> float | None:
    """Milliseconds of a 3x3 convolution of ones on `device`, or None when its result is wrong."""
    import mxnet as mx

    image, weight = mx.nd.ones((2, 16, 14, 14), ctx=device), mx.nd.ones((16, 16, 3, 3), ctx=device)
    for _ in range(2):  # the first one compiles
        start = time.perf_counter()
        result = mx.nd.Convolution(image, weight, kernel=(3, 3), num_filter=16, no_bias=True).asnumpy()
        spent = time.perf_counter() - start
    return round(spent * 1000, 3) if (result == 16 * 9).all() else None


def main(gpus: Sequence[str]) -> None:
    """Print the answer for the CPU and these GPUs (ids as text) as one line of JSON."""
    import mxnet as mx

    from ..nn.kernels import problem

    devices = [mx.cpu(), *(mx.gpu(int(number)) for number in gpus)]
    results = {str(device): convolve(device) for device in devices}
    wrong = [name for name, spent in results.items() if spent is None]
    features = [name for name, feature in mx.runtime.Features().items() if feature.enabled]
    answer = {
        "problem": f"a convolution gives wrong numbers on {', '.join(wrong)}" if wrong else None,
        "version": mx.__version__,
        "features": features,
        "results": results,
        "kernels": problem(),
    }
    print("\n" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
