"""Parameters and MACs that papers and their code print, to compare ours with.

"M" and "G" are powers of 10 in some papers and powers of 2 in others (ECA-Net). Some counting tools add norms,
activations and pooling to the MACs; some figures are of a variant of the network, such as one with the stride of a
bottleneck in its first 1x1 convolution, which has fewer MACs. Each row says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..models.factory import model_info
from ..models.plan import Plan
from .cost import Cost

MILLION, GIGA = 10**6, 10**9
MEBI, GIBI = 2**20, 2**30
#: 10^9 operations where a multiply-accumulate counts as two
TWO_A_MAC = GIGA // 2

#: options that change neither parameters nor work
FREE = {"drop_rate", "drop_path", "dropblock_prob", "last_gamma"}
HE = "He et al. 2015, table 6"
STRIDE = "stride in the first 1x1 convolutions there"
SUMS = "sums over windows counted there, and cut at a tenth"
NORMS = "norms counted there too"
PIXELS = "products of pixels with pixels, 0.5 G, not counted there"
WINDOWS = "49 keys per pixel there; ours share 100 among 16 pixels, which is faster"


@dataclass(frozen=True)
class Figures:
    """What was published of a network.

    Attributes:
        source: The paper or the code.
        params: Learnable parameters in units of `unit`, as printed.
        unit: Unit of `params`.
        exact: The exact number of parameters, where the code prints it.
        macs: MACs in units of `macs_unit`, as printed.
        macs_unit: Unit of `macs`.
        all_work: Norms, activations and pooling are counted in `macs`.
        classes: Number of classes.
        note: In what that network differs from ours, if it does.
    """

    source: str
    params: str
    unit: int = MILLION
    exact: int | None = None
    macs: str | None = None
    macs_unit: int = GIGA
    all_work: bool = False
    classes: int = 1000
    note: str = ""

    @property
    def printed(self) -> str:
        """The parameters as text, such as "0.27 M"."""
        return f"{self.params} {_LETTERS[self.unit]}"

    @property
    def printed_macs(self) -> str | None:
        """The MACs as text, such as "4.11 G", or None."""
        return f"{self.macs} {_LETTERS[self.macs_unit]}" if self.macs else None

    def parameters(self) -> int:
        """Parameters as a number."""
        return self.exact or round(float(self.params) * self.unit)

    def work(self) -> int | None:
        """MACs as a number, or None."""
        return round(float(self.macs) * self.macs_unit) if self.macs else None


_LETTERS = {MILLION: "M", MEBI: "Mi", GIGA: "G", GIBI: "Gi", TWO_A_MAC: "G at 2 a MAC"}


def _cifar(params: str) -> Figures:
    return Figures(HE, params, classes=10)


def _eca(params: str, exact: int, macs: str) -> Figures:
    """A row of table 3 of the paper on ECA-Net."""
    return Figures(
        "Wang et al. 2020, ECA-Net", params, MEBI, exact, macs, GIBI, all_work=True
    )  # fmt: skip


def _insight(params: str, exact: int, macs: str | None = None) -> Figures:
    return Figures("implus/PytorchInsight", params, exact=exact, macs=macs)


def _zoo(exact: int, macs: str | None = None, note: str = "") -> Figures:
    return Figures("osmr/imgclsmob", f"{exact / MILLION:.2f}", exact=exact, macs=macs, note=note)


def _timm(params: str, exact: int | None, macs: str | None = None, note: str = "") -> Figures:
    return Figures("huggingface/pytorch-image-models", params, exact=exact, macs=macs, note=note)


def _torchvision(exact: int, macs: str) -> Figures:
    """Parameters and operations in the description of torchvision's weights."""
    return Figures("torchvision", f"{exact / MILLION:.2f}", exact=exact, macs=macs)


def _atac(params: str, macs: str, exact: int | None = None, unit: int = GIGA, note: str = "") -> Figures:
    """A row of the table of Dai et al. 2021, whose rows other than ATAC are from the other papers."""
    return Figures("open-atac's table for ImageNet", params, exact=exact, macs=macs, macs_unit=unit, note=note)


#: model -> `Figures`
PUBLISHED: dict[str, Figures] = {
    "cifar_resnet20_v1": _cifar("0.27"),
    "cifar_resnet32_v1": _cifar("0.46"),
    "cifar_resnet44_v1": _cifar("0.66"),
    "cifar_resnet56_v1": _cifar("0.85"),
    "cifar_resnet110_v1": _cifar("1.7"),
    "cifar_resnet164_v2": Figures("He et al. 2016, table 4", "1.7", classes=10),
    "resnet50_v1b": _insight("25.56", 25_557_032, "4.11"),
    "eca_resnet18_official": _eca("11.15", 11_689_556, "1.70"),
    "eca_resnet34_official": _eca("20.79", 21_797_744, "3.43"),
    "eca_resnet50_official": _eca("24.37", 25_557_112, "3.86"),
    "eca_resnet101_official": _eca("42.49", 44_549_317, "7.35"),
    "eca_resnet152_official": _eca("57.41", 60_193_042, "10.83"),
    "eca_resnet50": _eca("24.37", 25_557_118, "3.86"),
    "eca_mobilenet_v2": Figures(
        "Wang et al. 2020, ECA-Net", "3.34", MEBI, 3_504_903, "319.9", MILLION, all_work=True
    ),
    "se_resnet18": _zoo(11_778_592, "1.82"),
    "se_resnet34": _zoo(21_958_868),
    "se_resnet50": _insight("28.09", 28_088_024, "4.13"),
    "se_resnet101": _zoo(49_326_872, "7.60", STRIDE),
    "se_resnet152": _zoo(66_821_848, "11.33", STRIDE),
    "cbam_resnet18": _zoo(11_779_392),
    "cbam_resnet34": _zoo(21_960_468),
    "cbam_resnet50": _insight("28.09", 28_089_624, "4.12"),
    "cbam_resnet101": _zoo(49_330_172),
    "cbam_resnet152": _zoo(66_826_848),
    "bam_resnet18": _zoo(11_712_503),
    "bam_resnet34": _zoo(21_820_663),
    "bam_resnet50": _insight("25.92", 25_915_099, "4.20"),
    "bam_resnet101": _zoo(44_907_227),
    "bam_resnet152": _zoo(60_550_875),
    "resnext50_32x4d": _torchvision(25_028_904, "4.23"),
    "resnext101_64x4d": _torchvision(83_455_272, "15.46"),
    "resnext101_32x8d": _torchvision(88_791_336, "16.414"),
    "wide_resnet50_2": _torchvision(68_883_240, "11.398"),
    "wide_resnet101_2": _torchvision(126_886_696, "22.753"),
    "se_resnext50_32x4d": _zoo(27_559_896, "4.26"),
    "se_resnext101_32x4d": _zoo(48_955_416, "8.01"),
    "se_resnext101_64x4d": _zoo(88_232_984, "15.51"),
    "senet_154": _zoo(115_088_984, "20.75"),
    "sge_resnet50": _insight("25.56", 25_559_080, "4.127"),
    "sge_resnet101": _insight("44.55", 44_553_384, "7.858"),
    "triplet_resnet50": Figures(
        "Misra et al. 2020, Triplet attention", "25.56", exact=25_561_832, macs="4.169"
    ),
    "resnest14": _zoo(10_611_688, "2.77"),
    "resnest26": _zoo(17_069_448, "3.65"),
    "resnest50": _zoo(27_483_240, "5.40"),
    "resnest101": _zoo(48_275_016, "10.25"),
    "resnest200": _zoo(70_201_544, "22.85"),
    "resnest269": _zoo(110_929_480, "46.0"),
    "skresnet18": _timm("11.96", 11_958_056, "1.82"),
    "skresnet34": _timm("22.28", 22_282_376, "3.67"),
    "skresnext50_32x4d": _timm("27.48", 27_479_784, "4.50"),
    "sknet50": _zoo(27_479_784),
    "sknet101": _zoo(48_736_040),
    "cotnet50": Figures("Li et al. 2021, CoT", "22.2", macs="3.3", note=SUMS),
    "cotnet101": Figures("Li et al. 2021, CoT", "38.3", macs="6.1", note=SUMS),
    "epsanet50": Figures("Zhang et al. 2021, EPSANet", "22.56", macs="3.62"),
    "epsanet101": Figures("Zhang et al. 2021, EPSANet", "38.90", macs="6.82"),
    "epsanet50_large": Figures("Zhang et al. 2021, EPSANet", "27.90", macs="4.72"),
    "epsanet101_large": Figures("Zhang et al. 2021, EPSANet", "49.59", macs="8.97"),
    "botnet26t": _timm("12.49", 12_488_672, "3.32"),
    "botnet50ts": _timm("22.74", 22_742_688),
    "halonet26t": _timm("12.48", 12_480_288, "3.19"),
    "halonet50ts": _timm("22.73", 22_733_280, "5.30"),
    "lambda_resnet26t": _timm("10.96", 10_958_272, "3.02"),
    "lambda_resnet50ts": _timm("21.54", 21_536_832, "5.07"),
    "seresnext26ts": _timm("10.39", 10_388_064, "2.43", NORMS),
    "eca_resnext26ts": _timm("10.30", 10_297_988, "2.43", NORMS),
    "gcresnext26ts": _timm("10.48", None, "2.43"),
    "gcresnext50ts": _timm("15.67", None),
    "bat_resnext26ts": _timm("10.73", 10_731_200, "2.53"),
    "atac_resnet50_v1b": _atac("28.0", "4.4", 27_934_760),
    "ge_resnet50": _atac("33.7", "3.87", note=STRIDE),
    "aa_resnet50": _atac("25.8", "8.3", unit=TWO_A_MAC, note=PIXELS),
    "fa_resnet50": _atac("18.0", "7.2", unit=TWO_A_MAC, note=WINDOWS),
    "mobilenet_v3_large": _torchvision(5_483_032, "0.217"),
    "mobilenet_v3_small": _torchvision(2_542_856, "0.057"),
    "mobilenetv3_large": _zoo(5_481_752),
    "mobilenetv3_small": _zoo(2_945_288),
    "efficientnet_b0": _torchvision(5_288_548, "0.386"),
    "efficientnet_b1": _torchvision(7_794_184, "0.687"),
    "efficientnet_b2": Figures("Tan & Le 2019, EfficientNet", "9.1", exact=9_109_994, macs="1.0"),
    "efficientnet_b3": _torchvision(12_233_232, "1.827"),
    "efficientnet_b4": _torchvision(19_341_616, "4.394"),
    "mixnet_s": Figures("Tan & Le 2019, MixNet", "4.1", exact=4_134_606),
    "regnety_400mf": _torchvision(4_344_144, "0.402"),
    "regnety_800mf": _torchvision(6_432_512, "0.834"),
    "regnety_1_6gf": _torchvision(11_202_430, "1.612"),
    "regnety_3_2gf": _torchvision(19_436_338, "3.176"),
}  # fmt: skip


def published(recipe: Mapping[str, Any]) -> Figures | None:
    """The published figures of a network.

    Args:
        recipe: `recipe` of the network: model, classes, plan and options.

    Returns:
        None where there are none for exactly that network.
    """
    figures = PUBLISHED.get(recipe["model"])
    if not figures or figures.classes != recipe["classes"]:
        return None
    info = model_info(recipe["model"])
    if not info.own_plan and recipe["plan"] != Plan(info.entries).to_dict():
        return None
    usual = info.options()
    changed = {name for name, value in recipe["options"].items() if value != usual[name]}
    return None if changed - FREE else figures


def compare(figures: Figures, cost: Cost) -> list[dict[str, Any]]:
    """Compare a `Cost` with what was published.

    Args:
        figures: What was published.
        cost: What ours costs.

    Returns:
        A dict for each figure: "what", "ours", "printed", "published" (a number) and "difference" (relative).
    """
    rows = [_row("parameters", cost.params, figures.printed, figures.parameters())]
    if figures.macs:
        name, work = "MACs", cost.macs
        if figures.all_work:
            name, work = "MACs and other operations", cost.macs + cost.other_ops
        rows.append(_row(name, work, figures.printed_macs, figures.work()))
    return rows


def _row(what: str, ours: int, printed: str | None, published: int | None) -> dict[str, Any]:
    difference = ours / published - 1 if published else None
    return {"what": what, "ours": ours, "printed": printed, "published": published, "difference": difference}
