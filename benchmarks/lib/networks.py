"""Networks that benchmarks train and export: a name for both sides, and where the attention sits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A network. model, attention: what `get_model` takes. module: in torch_gates; slot: its place there.

    last: "act" modules sit in so many stages from the last. cells: what of torch_cells makes the whole network.
    """

    model: str
    attention: str | None = None
    module: str | None = None
    slot: str = "post"
    last: int | None = None
    cells: str | None = None

    @property
    def small(self):
        """Whether it is a network for CIFAR: ten classes, 32 pixels."""
        return self.model.startswith("cifar")


NETWORKS = {
    "resnet50": Row("resnet50_v1b"),
    "eca_resnet50": Row("eca_resnet50", module="ECA"),
    "atac_resnet50": Row("atac_resnet50_v1b", module="ChaATAC", slot="act", last=2),
    "cbam_resnet50": Row("cbam_resnet50", module="CBAM"),
    "cifar_resnet20": Row("cifar_resnet20_v1"),
    "eca_cifar_resnet20": Row("cifar_resnet20_v1", "eca", "ECA"),
    "atac_cifar_resnet20": Row("cifar_resnet20_v1", "cha_atac", "ChaATAC", "act", 3),
    "cbam_cifar_resnet20": Row("cifar_resnet20_v1", "cbam", "CBAM"),
}

#: networks that `deploy.py` exports; cells: a function of torch_cells makes the peer
DEPLOYED = {
    "eca_resnet50": NETWORKS["eca_resnet50"],
    "se_resnet50": Row("se_resnet50", module="SE"),
    "cbam_resnet50": NETWORKS["cbam_resnet50"],
    "atac_resnet50": NETWORKS["atac_resnet50"],
    "eca_mobilenet_v2": Row("eca_mobilenet_v2_formula", cells="mobilenet"),
    "att_darts_imagenet": Row("att_darts_imagenet", cells="AttDarts"),
}
