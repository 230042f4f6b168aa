"""Networks that benchmarks train and export: their name in the library, and how the peer in PyTorch is built."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One network.

    Attributes:
        model: Name for `get_model`.
        attention: Attention for `get_model`, or None.
        module: Class in `torch_attention` of the peer's attention, or None.
        slot: Where the peer has it: "post" (before the addition) or "act" (in place of activations).
        last: With "act": in how many of the last stages.
        cells: Function or class in `torch_cells` that builds the whole peer, or None.
        timm: Name of the whole peer in timm, or None.
    """

    model: str
    attention: str | None = None
    module: str | None = None
    slot: str = "post"
    last: int | None = None
    cells: str | None = None
    timm: str | None = None

    @property
    def small(self) -> bool:
        """Whether the network is one for CIFAR, with 10 classes and images of 32x32."""
        return self.model.startswith("cifar")


#: networks whose peers are timm's: they are measured where their names are given
TIMM: dict[str, Row] = {
    "se_resnext50_32x4d": Row("se_resnext50_32x4d", timm="seresnext50_32x4d"),
    "resnest50": Row("resnest50", timm="resnest50d"),
    "skresnet34": Row("skresnet34", timm="skresnet34"),
    "mobilenet_v3_large": Row("mobilenet_v3_large", timm="mobilenetv3_large_100"),
    "efficientnet_b0": Row("efficientnet_b0", timm="efficientnet_b0"),
}

#: networks that `train_step.py` trains
NETWORKS: dict[str, Row] = {
    "resnet50": Row("resnet50_v1b"),
    "eca_resnet50": Row("eca_resnet50", module="ECA"),
    "atac_resnet50": Row("atac_resnet50_v1b", module="ChaATAC", slot="act", last=2),
    "cbam_resnet50": Row("cbam_resnet50", module="CBAM"),
    "cifar_resnet20": Row("cifar_resnet20_v1"),
    "eca_cifar_resnet20": Row("cifar_resnet20_v1", "eca", "ECA"),
    "atac_cifar_resnet20": Row("cifar_resnet20_v1", "cha_atac", "ChaATAC", "act", 3),
    "cbam_cifar_resnet20": Row("cifar_resnet20_v1", "cbam", "CBAM"),
    **TIMM,
}

#: networks that `deploy.py` exports
DEPLOYED: dict[str, Row] = {
    "eca_resnet50": NETWORKS["eca_resnet50"],
    "se_resnet50": Row("se_resnet50", module="SE"),
    "cbam_resnet50": NETWORKS["cbam_resnet50"],
    "atac_resnet50": NETWORKS["atac_resnet50"],
    "eca_mobilenet_v2": Row("eca_mobilenet_v2_formula", cells="mobilenet"),
    "att_darts_imagenet": Row("att_darts_imagenet", cells="AttDarts"),
    **TIMM,
}
