"""The program in a deploy bundle: about 15 lines that load its files with one engine and classify images."""

from pathlib import Path

from ..config.card import Card
from .openvino import HINTS
from .targets import ExportTarget

_HEAD = '''"""Classify images with {engine}: python example.py IMAGE..."""
import json
import sys
from pathlib import Path

{imports}
from PIL import Image

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    card = json.loads((folder / "card.json").read_text())
    {load}
    for path in sys.argv[1:]:
        image = Image.open(path)
        if image.mode not in ("RGB", "L") or image.getexif().get(274, 1) != 1:
            sys.exit(f"{{path}}: takes upright 8-bit RGB or grey images; gluon-attn predict takes all")
        image = image.convert("RGB").resize(card["input_shape"][:0:-1])
        data = {data}
        logits = {run}
        names = card["class_names"] or range(card["classes"])
        print(f"{{path}}: {{names[int(logits.argmax())]}}")
'''
_RAW = "np.asarray(image)[None]"
_NORMALIZED = '((np.asarray(image) / 255 - card["mean"]) / card["std"]).transpose(2, 0, 1)[None].astype("float32")'
#: format -> (engine, imports, line that loads, line that runs)
_ENGINES = {
    "symbol": (
        "MXNet",
        "import gluon_attn  # before MXNet: puts back what it needs of NumPy\nimport mxnet as mx\nimport numpy as np",
        'net = mx.gluon.SymbolBlock.imports(str(folder / "{file}"), ["data"], str(folder / "{params}"))\n'
        "    net.hybridize(static_alloc=True, static_shape=True)",
        "net(mx.nd.array(data, dtype=data.dtype)).asnumpy()[0]",
    ),
    "onnx": (
        "ONNX Runtime",
        "import numpy as np\nimport onnxruntime",
        'session = onnxruntime.InferenceSession(folder / "{file}", providers=["CPUExecutionProvider"])',
        'session.run(["logits"], {{"data": data}})[0][0]',
    ),
    "openvino": (
        "OpenVINO",
        "import numpy as np\nimport openvino",
        'net = openvino.Core().compile_model(folder / "{file}", "CPU", {options})',
        "net([data])[0][0]",
    ),
}  # fmt: skip


def example_script(target: ExportTarget, path: Path, card: Card) -> str:
    """The text of the program in a deploy bundle.

    Args:
        target: Of the bundle.
        path: Its main file.
        card: `Card` of the network.
    """
    engine, imports, load, run = _ENGINES[target.format]
    hint = HINTS.get(target.precision)
    names = {
        "file": path.name,
        "params": path.name.replace("-symbol.json", "-0000.params"),
        "options": f'{{"INFERENCE_PRECISION_HINT": "{hint}"}}' if hint else "{}",
    }
    data = _RAW if card.preprocess else _NORMALIZED
    return _HEAD.format(engine=engine, imports=imports, load=load.format(**names), data=data, run=run.format(**names))
