"""One side of a comparison of inference, run by `process`.

    python -m benchmarks.lib.deployed write|export|ours|eager|compiled|runtime|openvino

"write" and "export" take a `name` of `networks.DEPLOYED`, the height and width of the images (`size`) and a `folder`:
they write the library's export targets, and the ONNX file of the peer in PyTorch, to it. The others take the `batch`
size, the export target (`target`) and the `dtype` besides, and "infer" computes the logits of one batch in memory.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lib.networks import DEPLOYED
from benchmarks.lib.process import serve

THREADS = int(os.environ.get("OMP_NUM_THREADS", 1))


class Write:
    """Writes every export target of a network with random weights; int8 is calibrated with noise."""

    def __init__(self, name: str, size: int, folder: str):
        import gluon_attn  # noqa: I001 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.config.card import Card
        from gluon_attn.deploy.predictor import graph_inputs, random_images
        from gluon_attn.deploy.targets import all_targets
        from gluon_attn.deploy.write import write_optimized

        net = gluon_attn.get_model(DEPLOYED[name].model, 1000, input_size=size)
        net.initialize(mx.init.MSRAPrelu())
        card = Card(**net.recipe, input_shape=(3, size, size))
        inputs = graph_inputs(card, random_images(card, 8))
        net(mx.nd.array(inputs[:1]))
        self.errors = {}
        for target in all_targets():
            (Path(folder) / str(target)).mkdir(parents=True)
            try:
                write_optimized(target, net, card, Path(folder) / str(target) / "net", inputs)
            except Exception as error:  # the table shows it
                self.errors[str(target)] = f"{type(error).__name__}: {error}"[:100]

    def problems(self) -> dict[str, str]:
        """Return export target -> error, for what could not be written."""
        return self.errors


class Export:
    """Writes the peer's ONNX file with PyTorch's exporter, for ONNX Runtime and OpenVINO."""

    def __init__(self, name: str, size: int, folder: str):
        import torch

        from benchmarks.lib.torch_nets import network

        net, free = network(name, size).eval(), {"data": {0: "N"}, "logits": {0: "N"}}
        names = {"input_names": ["data"], "output_names": ["logits"], "dynamic_axes": free}
        images = torch.randn(1, 3, size, size)
        torch.onnx.export(net, images, f"{folder}/torch.onnx", dynamo=False, opset_version=17, **names)


class Side:
    """Random images (N,3,H,W) in memory; subclasses have `run`, which computes their logits."""

    run: Callable[[Any], Any]

    def __init__(self, size: int, batch: int):
        self.images = np.random.default_rng(0).standard_normal((batch, 3, size, size), np.float32)

    def infer(self) -> None:
        """Compute the logits of one batch."""
        self.run(self.images)


class Ours(Side):
    """An export target of the library, "live": the hybridized network, or "optimized": this one's fastest form."""

    def __init__(self, name: str, size: int, folder: str, batch: int, target: str, dtype: str):
        super().__init__(size, batch)
        import gluon_attn  # noqa: I001 - before MXNet
        import mxnet as mx
        from gluon_attn.deploy import measure, predictor

        if target == "optimized":
            net = gluon_attn.get_model(DEPLOYED[name].model, 1000, input_size=size)
            net.initialize(mx.init.MSRAPrelu())
            net(mx.nd.array(self.images[:1]))
            fast = gluon_attn.optimize_for_inference(net, size, dtype, batch)
            self.run = lambda images: fast(mx.nd.array(images)).asnumpy()
            return
        if target == "live":
            found = measure.open_target(DEPLOYED[name].model)
        else:
            (path,) = (
                p for p in Path(folder, target).iterdir() if p.name in ("net-symbol.json", "net.onnx", "net.xml")
            )
            found = predictor.load(path)
        self.run = found.forward


class Eager(Side):
    """PyTorch in channels-last; bfloat16 by autocast."""

    compiled: bool = False

    def __init__(self, name: str, size: int, folder: str, batch: int, target: str, dtype: str):
        super().__init__(size, batch)
        import torch

        from benchmarks.lib.torch_nets import network

        torch.set_num_threads(THREADS)
        self.torch, self.low = torch, dtype == "bfloat16"
        self.net = network(name, size).eval().to(memory_format=torch.channels_last)
        self.images = torch.from_numpy(self.images).contiguous(memory_format=torch.channels_last)
        if self.compiled:
            import torch._inductor.config as settings

            settings.freezing = True
            self.net = torch.compile(self.net)

    def run(self, images: Any) -> None:
        """Compute the logits of `images`."""
        with self.torch.no_grad(), self.torch.autocast("cpu", self.torch.bfloat16, enabled=self.low):
            self.net(images)


class Compiled(Eager):
    """The same after torch.compile, frozen."""

    compiled: bool = True


class Runtime(Side):
    """ONNX Runtime with the peer's ONNX file."""

    def __init__(self, name: str, size: int, folder: str, batch: int, target: str, dtype: str):
        super().__init__(size, batch)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        session = onnxruntime.InferenceSession(f"{folder}/torch.onnx", options, providers=["CPUExecutionProvider"])
        self.run = lambda images: session.run(None, {"data": images})


class OpenVINO(Side):
    """OpenVINO with the peer's ONNX file."""

    def __init__(self, name: str, size: int, folder: str, batch: int, target: str, dtype: str):
        super().__init__(size, batch)
        import openvino

        kind = {"float32": "f32", "bfloat16": "bf16"}[dtype]
        options = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": kind}
        model = openvino.Core().compile_model(openvino.convert_model(f"{folder}/torch.onnx"), "CPU", options)
        request = model.create_infer_request()
        self.run = lambda images: request.infer([images])


if __name__ == "__main__":
    sides = {"write": Write, "export": Export, "ours": Ours, "eager": Eager, "compiled": Compiled}
    serve({**sides, "runtime": Runtime, "openvino": OpenVINO}[sys.argv[1]])
