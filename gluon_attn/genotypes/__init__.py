"""What searches found: cells of a network and attentions, as plain data and as JSON files.

`cell` and `attention` are the data, with the order in which their parts are read and drawn; `files` reads and writes
JSON and has the published genotypes, `text` reads what Python prints.
"""

from .attention import ATTENTION_OPS, AttentionGenotype, attention_genotype
from .cell import CELL_NAMES, CELL_TITLES, CellEdges, CellGenotype, cell_genotype
from .files import document, published

__all__ = [
    "ATTENTION_OPS",
    "CELL_NAMES",
    "CELL_TITLES",
    "AttentionGenotype",
    "CellEdges",
    "CellGenotype",
    "attention_genotype",
    "cell_genotype",
    "document",
    "published",
]
