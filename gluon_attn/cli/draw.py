"""`gluon-attn draw`: a picture of a searched cell."""

from pathlib import Path


def add_arguments(parser):
    """Flags of `gluon-attn draw`."""
    parser.add_argument("genotype", metavar="NAME|FILE", help="a published genotype, such as Att_DARTS, or a JSON file")
    parser.add_argument("--out", metavar="FILE", help="a .png, .svg or .pdf file (default: NAME.png here)")


def run(args):
    """Draw it and say where the picture is."""
    from ..analyze.draw import draw
    from ..genotypes.attention import attention_genotype
    from ..genotypes.cell import CELL_NAMES, cell_genotype
    from ..genotypes.files import published
    from ..utils.errors import UserError

    name = args.genotype
    path = args.out or f"{Path(name).stem}.png"
    if not name.endswith(".json") and name not in (*published(CELL_NAMES[0]), *published("attention")):
        known = ", ".join([*published(CELL_NAMES[0]), *published("attention")])
        raise UserError(f"unknown genotype {name!r}: give {known}, or a JSON file")
    draw(attention_genotype(name) if _is_attention(name, published("attention")) else cell_genotype(name), path)
    print(path)
    return 0


def _is_attention(name, known):
    """Whether a published name or a file holds an attention; `cell_genotype` says what is wrong with any other."""
    from ..utils.files import read_json

    if name in known:
        return True
    data = read_json(name) if name.endswith(".json") else {}
    return isinstance(data, dict) and ("att" in data or "attention" in (data.get("cells") or ()))
