"""The tables of docs/results.md, from benchmarks/results. No row has figures of two processors."""

from statistics import median

from result_files import by_processor, first, markdown

LARGE = "16x256x56x56"
KNOWN = {
    "se", "eca", "cbam", "bam", "sge", "cha_atac", "triplet", "ge_theta_plus", "a2", "coord", "simam", "gc", "sk",
    "split",
}  # fmt: skip
LIMIT = "of the limit"
_LIMITS = (f"float32, {LIMIT}", f"bfloat16, {LIMIT}")
#: sides of the exported networks that stay in the process
_UNEXPORTED = ("ours, live", "ours, optimized")


def gates_table() -> str:
    """Forward and backward of gates and reductions at the large shape."""
    table = first("gating")
    rows = [[f"`{row[0]}`", *row[5:8], table.cell(row, LIMIT)] for row in table.rows if row[1] == LARGE]
    return markdown(table.processor, ["operation", "plain", "fast", "compiled", LIMIT], rows)


def peers_table() -> str:
    """Forward and backward of well-known attentions against PyTorch at the large shape, and what all shapes gave."""
    table = first("attention")
    known = [row for row in table.rows if row[1] == LARGE and row[0] in KNOWN]
    rows = [[f"`{row[0]}`", *row[5:8], table.cell(row, LIMIT)] for row in known]
    ratios = [float(row[7]) for row in table.rows if row[7]]
    above = ", ".join(f"`{row[0]}` {row[7]} at {row[1]}" for row in table.rows if row[7] and float(row[7]) > 1)
    return (
        f"{markdown(table.processor, ['attention', 'ours, ms', 'PyTorch, ms', 'ratio', LIMIT], rows)}\n\n"
        f"These are the well-known ones. Over all {len(ratios)} cases the median ratio is {median(ratios):.2f}, and "
        f"{sum(ratio <= 1 for ratio in ratios)} are at or below 1. Above: {above or 'none'}."
    )


def overhead_table() -> str:
    """What well-known attentions add to a training step of ResNet-50."""
    table = first("overhead")
    columns = ["attention", "plain, ms", "with it, ms", "ratio", LIMIT]
    rows = [[f"`{row[0]}`", *row[3:6], table.cell(row, LIMIT)] for row in table.rows if row[0] in KNOWN]
    return markdown(table.processor, columns, rows)


def steps_table() -> str:
    """Training steps against eager PyTorch: for each processor a table, a row for each network; the latest counts."""
    names = ("train_step_224", "train_step_cifar", "train_step_timm")
    parts = []
    for processor, tables in by_processor(names, ("network", "batch", "type", "img/s")).items():
        cells: dict[str, dict[tuple[str, str], str]] = {}
        for table in tables:
            for row in table.rows:
                cell = {(row[2], column): table.cell(row, column) for column in ("to eager", LIMIT)}
                cells.setdefault(row[0], {}).update(cell)
        wanted = [(dtype, column) for column in ("to eager", LIMIT) for dtype in ("float32", "bfloat16")]
        rows = [[f"`{name}`", *(found.get(one, "") for one in wanted)] for name, found in cells.items()]
        parts.append(markdown(processor, ["network", "float32", "bfloat16", *_LIMITS], rows))
    return "\n\n".join(parts)


def deployed_table() -> str:
    """The best exported form of ours at each batch size, with its share of the limit, for each processor."""
    parts, dtypes = [], ("float32", "bfloat16", "int8")
    for processor, tables in by_processor(("deploy", "deploy_timm"), ("network", "batch", "side", "type")).items():
        best: dict[str, dict[str, dict[str, tuple[float, str]]]] = {}
        for table in tables:
            for row in table.rows:
                if row[2].startswith("ours") and row[2] not in _UNEXPORTED and row[5]:
                    found = best.setdefault(row[0], {}).setdefault(row[3], {})
                    found[row[1]] = max(found.get(row[1], (0.0, "")), (float(row[5]), table.cell(row, LIMIT)))
        rows = []
        for name, types in best.items():
            pairs = [list(types.get(dtype, {}).values()) for dtype in dtypes]
            ratios = [", ".join(f"{ratio:.2f}" for ratio, _ in pair) for pair in pairs]
            rows.append([f"`{name}`", *ratios, *(", ".join(share for _, share in pair if share) for pair in pairs)])
        parts.append(markdown(processor, ["network", *dtypes, *(f"{dtype}, {LIMIT}" for dtype in dtypes)], rows))
    return "\n\n".join(parts)


def mxnet_forms_table() -> str:
    """What MXNet itself computes, at each batch size: the hybridized network, the optimized one, the symbol file."""
    table = first("deploy")
    forms = [("ours, live", "float32"), *(("ours, optimized", dtype) for dtype in ("float32", "bfloat16")),
             *(("ours, symbol", dtype) for dtype in ("float32", "bfloat16", "int8"))]  # fmt: skip
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for row in table.rows:
        found.setdefault(row[0], {}).setdefault((row[2], row[3]), []).append(row[5])
    rows = [[f"`{name}`", *(", ".join(cells.get(form, ())) for form in forms)] for name, cells in found.items()]
    low = ("symbol, bfloat16", "symbol, int8")
    columns = ["network", "hybridized", "optimized", "optimized, bfloat16", "symbol", *low]
    return markdown(table.processor, columns, rows)


def detection_table() -> str:
    """Training and inference of detectors, a row for each network and its images; then evaluations."""
    table = first("detection")
    kinds = ("training", "inference, hybrid", "inference, onnx", "inference, openvino")
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in table.rows:
        if row[0] != "evaluation":
            found.setdefault((row[1], row[2]), {})[row[0]] = [row[6], table.cell(row, LIMIT)]
    rows = [
        [*key, *(cells.get(kind, ["", ""])[0] for kind in kinds), cells.get("training", ["", ""])[1]]
        for key, cells in found.items()
    ]
    columns = ["backbone", "images", "training step", "inference, MXNet", "ONNX Runtime", "OpenVINO", f"step, {LIMIT}"]
    others = [[row[2], *row[3:5], row[6]] for row in table.rows if row[0] == "evaluation"]
    evaluation = markdown(
        f"{table.processor}, evaluation in seconds", ["scenes", "ours", "torchvision's loop", "ratio"], others
    )
    return f"{markdown(table.processor, columns, rows, words=2)}\n\n{evaluation}"


def schemes_table() -> str:
    """EAN's loops: a row for each attention, a column for each kind of work."""
    table = first("ean")
    columns = ["attention", "sample of a search", "new scheme of a search", "scheme, no cache", "training step"]
    columns += [f"{column}, {LIMIT}" for column in columns[3:]]
    found: dict[str, list[str]] = {}
    for row in table.rows:
        found.setdefault(row[0], []).append(row[5])
    for row in table.rows:
        if not row[1].endswith("of a search"):
            found[row[0]].append(table.cell(row, LIMIT))
    return markdown(table.processor, columns, [[f"`{name}`", *ratios] for name, ratios in found.items()])


def search_table() -> str:
    """Second-order steps of the gradient searches."""
    table = first("search")
    columns = ["search", "to the usual memory format", "to channels-last", "ours, GB", "PyTorch, GB", LIMIT]
    rows = [
        [f"`{row[0]}`", *(f"{float(theirs) / float(row[2]):.2f}" for theirs in row[3:5]), *row[6:8],
         table.cell(row, LIMIT)]
        for row in table.rows
    ]  # fmt: skip
    return markdown(table.processor, columns, rows)


def input_table() -> str:
    """From photographs to batches."""
    table = first("input")
    columns = ["change", "records, images per second", "Pillow and DataLoader", "ratio"]
    return markdown(table.processor, columns, [[row[0], *row[2:5]] for row in table.rows])


def horovod_table() -> str:
    """Two processes against one."""
    parts = []
    for processor, tables in by_processor(("horovod_224", "horovod_cifar"), ("network",)).items():
        rows = [[f"`{row[0]}`", *row[1:2], *row[6:8]] for table in tables for row in table.rows]
        columns = ["network", "batch of a process", "of twice one process", "of two that exchange nothing"]
        parts.append(markdown(processor, columns, rows))
    return "\n\n".join(parts)


def imports_table() -> str:
    """Seconds of imports."""
    table = first("import_time")
    return markdown(
        table.processor, ["statement", "seconds"], [[row[0], f"{int(row[1]) / 1000:.2f}"] for row in table.rows]
    )


#: name of each table in docs/results.md -> what makes it
TABLES = {
    "peers": peers_table, "overhead": overhead_table, "gates": gates_table, "steps": steps_table,
    "input": input_table, "schemes": schemes_table, "search": search_table, "deployed": deployed_table,
    "mxnet_forms": mxnet_forms_table, "detection": detection_table, "horovod": horovod_table, "imports": imports_table,
}  # fmt: skip
