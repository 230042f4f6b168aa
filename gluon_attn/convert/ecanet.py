"""Names of BangguWu/ECANet and digantamisra98/Reproducibilty-Challenge-ECANET, whose other attentions are Echo's."""

from .echo import TABLES
from .names import NameMap

NAME_MAP = NameMap(
    tables={
        **TABLES,
        "residual": [{"post": "eca"}, {"post": "att"}],
        # the attention is the last layer of a block's sequence
        "inverted_residual": lambda block: {"post": f"conv.{len(block.conv)}"},
    }
)
