"""The table of the README: the most telling figures of benchmarks/results, each row of one processor."""

from statistics import median

from result_files import first
from result_tables import LARGE


def results_table() -> str:
    """The most telling figures of benchmarks/results, each with its command."""
    lines = ["| what | result | processor | command | table |", "|---|---|---|---|---|"]
    for what, result, command, *tables in _telling():
        links = ", ".join(f"[{name.replace('_', ' ')}](benchmarks/results/{name}.md)" for name in tables)
        processor = first(tables[0]).processor
        lines.append(f"| {what} | {result} | {processor} | `python benchmarks/{command}.py` | {links} |")
    return "\n".join(lines)


def rows_of(name: str) -> list[list[str]]:
    """Rows of the first table of a results file."""
    return first(name).rows


def _telling():
    """(what, result, command, its tables) of each row of `results_table`; the figures are of the first table."""
    attention = {(row[0], row[1]): row for row in rows_of("attention")}
    ratios = [float(row[7]) for row in attention.values()]
    cbam = attention["cbam", LARGE]
    overhead = {row[0]: row[5] for row in rows_of("overhead")}
    step = {(row[0], row[2]): row[6] for row in rows_of("train_step_224")}
    ean = [float(row[5]) for row in rows_of("ean") if row[1] == "sample of a search"]
    darts = next(row for row in rows_of("search") if row[0] == "att-darts")
    int8 = [
        float(row[5]) for row in rows_of("deploy")
        if row[0].endswith("resnet50") and row[2:4] == ["ours, openvino", "int8"]
    ]  # fmt: skip
    detection = {name: _ratios("detection", name) for name in ("training", "inference, onnx", "evaluation")}
    photographs = {row[0]: row[4] for row in rows_of("input")}
    two = rows_of("horovod_224")[0]
    imports = {row[0].strip("`"): row[1] for row in rows_of("import_time")}
    return [
        ("attentions, forward and backward",
         f"median time {median(ratios):.2f} of PyTorch's over {len(ratios)} cases; CBAM {cbam[7]} "
         f"({cbam[5]} ms against {cbam[6]})", "attention", "attention"),
        ("what an attention adds to a training step of ResNet-50",
         f"ECA {overhead['eca']}, SE {overhead['se']}, CBAM {overhead['cbam']} times the plain step", "overhead",
         "overhead"),
        ("training step, float32, 224 pixels",
         f"ResNet-50 {step['resnet50', 'float32']}, with CBAM {step['cbam_resnet50', 'float32']} times PyTorch's "
         f"images per second; in bfloat16 {step['resnet50', 'bfloat16']} and "
         f"{step['cbam_resnet50', 'bfloat16']}", "train_step", "train_step_224", "train_step_cifar"),
        ("input pipeline, photographs from records",
         f"{photographs['crop']} times Pillow and DataLoader, with colour jitter {photographs['colour']}", "input",
         "input"),
        ("EAN's search", f"{min(ean):.0f} to {max(ean):.0f} times the samples per second of the authors' loop", "ean",
         "ean"),
        ("second-order step of Att-DARTS",
         f"{darts[5]} times as fast as PyTorch's faster memory format, {darts[6]} GB against {darts[7]}", "search",
         "search"),
        ("exported ResNet-50 with attention, int8",
         f"{min(int8):.1f} to {max(int8):.1f} times compiled PyTorch in bfloat16", "deploy", "deploy"),
        ("Mask R-CNN against torchvision, eager",
         f"training step {detection['training']}, inference with ONNX Runtime {detection['inference, onnx']}, "
         f"evaluation {detection['evaluation']} times as fast", "detection", "detection"),
        ("two processes on two cores, ResNet-50", f"{two[6]} of twice the speed of one", "horovod", "horovod_224"),
        ("`import gluon_attn`",
         f"{int(imports['import gluon_attn']) / 1000:.2f} s: MXNet loads when it is first used", "import_time",
         "import_time"),
    ]  # fmt: skip


def _ratios(table: str, name: str) -> str:
    """The least and the largest ratio to PyTorch's eager form in the rows of that name."""
    ratios = sorted(float(row[6]) for row in rows_of(table) if row[0] == name and row[6])
    return " to ".join(dict.fromkeys(f"{ratio:.2f}" for ratio in (ratios[0], ratios[-1])))
