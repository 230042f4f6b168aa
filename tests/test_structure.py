"""The structure of the package: no import circles, one home for each outside library and for the names of run files."""

import ast

from test_layering import PACKAGE, ROOT, imported

from gluon_attn.runs.folder import RunFolder

HOME = ("runs", "folder")
#: library -> the file that imports it, or None where any one file may
HOMES = {"horovod": ("engine", "backend"), "optuna": None, "pycocotools": None}
#: file -> names that it uses for files of its own: those of deploy bundles, and a page about several runs
OWN_NAMES = {
    ("config", "run_kind"): {"config.yaml"},
    ("deploy", "load_run"): {"card.json", "best.params"},
    ("deploy", "bundle"): {"card.json"},
    ("deploy", "detector_program"): {"card.json"},
    ("deploy", "measure"): {"card.json"},
    ("cli", "report"): {"report.html"},
    ("runs", "predict_objects"): {"results.json"},  # COCO's results format
    ("runs", "study", "folder"): {"report.html", "results.json"},
}
#: methods of MXNet, OpenVINO, NumPy and others that write to a path; some do not notice that a disk is full
PATH_WRITERS = {
    "save_parameters", "save_params", "save_model", "save_file", "save_states", "export_model", "MXRecordIO",
    "MXIndexedRecordIO", "savez", "savefig", "write_text", "write_bytes", "dump", "FileHandler", "SummaryWriter",
}  # fmt: skip
#: file -> those that it uses: into memory, or checked afterwards
CHECKED = {
    ("utils", "files"): {"open"},
    ("utils", "log"): {"FileHandler"},
    ("deploy", "openvino"): {"save_model", "write_bytes"},
    ("deploy", "detector_program"): {"write_text"},  # it runs where this library is not
    ("search", "ean", "search_state"): {"savez"},
    ("runs", "study", "processes"): {"open"},  # logs of worker processes, which these write
}


def modules():
    """Names below the package -> file."""
    return {path.relative_to(ROOT / PACKAGE).with_suffix("").parts: path for path in (ROOT / PACKAGE).rglob("*.py")}


def without_types(path, root):
    """The file as `imported` reads it, without what is imported for type checkers only."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            lines[node.body[0].lineno - 1 : node.body[-1].end_lineno] = [
                "    pass", *[""] * (node.body[-1].end_lineno - node.body[0].lineno)
            ]  # fmt: skip
    copy = root / path.relative_to(ROOT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text("\n".join(lines), encoding="utf-8")
    return copy


def graph(folder):
    """File -> the files that it imports, also inside functions."""
    files = modules()
    found = {}
    for name, path in files.items():
        targets = set()
        for _, (library, *rest) in imported(without_types(path, folder), (PACKAGE, *name), ROOT):
            candidates = (tuple(rest), (*rest, "__init__"), tuple(rest[:-1]))
            targets |= {next((one for one in candidates if one in files), name)} if library == PACKAGE else set()
        found[name] = targets - {name, ("__init__",)}  # the package itself imports what is asked for
    return found


def circles(imports):
    """The files that are left when those that import no other are taken away, again and again."""
    left = {name: set(targets) for name, targets in imports.items()}
    while free := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in free}
    return sorted(".".join(name) for name in left)


def constants(path):
    """The texts in a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def written_by(path):
    """What a file calls that writes to a path by itself: methods of libraries, and `open` for writing."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in PATH_WRITERS:
            yield node.attr
        if isinstance(node, ast.Attribute) and node.attr == "save" and getattr(node.value, "attr", None) == "nd":
            yield "nd.save"
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "open":
            modes = [value.value for value in node.args[1:] if isinstance(value, ast.Constant)]
            if not ast.unparse(node.args[0]).startswith("os.") and any(set(str(mode)) & set("wax+") for mode in modes):
                yield "open"


def test_no_import_circles(tmp_path):
    assert circles(graph(tmp_path)) == []


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"e"}, "e": set()}) == ["a", "b", "c"]


def test_outside_libraries_have_one_home():
    for library, home in HOMES.items():
        files = {name for name, path in modules().items() for _, found in imported(path, (PACKAGE, *name), ROOT)
                 if found[0] == library}  # fmt: skip
        assert len(files) <= 1, f"{library} is imported by {sorted(files)}"
        assert home is None or files == {home}


def test_only_run_folder_names_the_files_of_a_run():
    names = {path.name for path in vars(RunFolder("run")).values() if path.suffix and path.name[0] != "."}
    assert {"config.yaml", "metrics.jsonl", "best.params", "genotype.json"} <= names
    found = {}
    for module, path in modules().items():
        found[module] = constants(path) & names
    elsewhere = {module: used - OWN_NAMES.get(module, set()) for module, used in found.items() if module[0:2] != HOME}
    assert {module: used for module, used in elsewhere.items() if used} == {}


def test_libraries_write_no_files_of_their_own():
    """They are asked for bytes, which `utils.files` writes: it notices that a disk is full."""
    found = {module: set(written_by(path)) for module, path in modules().items()}
    assert {module: used for module, used in found.items() if used} == CHECKED
