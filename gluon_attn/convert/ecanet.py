"""BangguWu/ECANet and digantamisra98/Reproducibilty-Challenge-ECANET, whose other attentions are Echo's."""

from .echo import TABLES
from .names import Source

SOURCE = Source(
    tables={
        **TABLES,
        "residual": [{"post": "eca"}, {"post": "att"}],
        # the attention comes last in a block's row of layers
        "inverted_residual": lambda block: {"post": f"conv.{len(block.conv)}"},
    }
)
