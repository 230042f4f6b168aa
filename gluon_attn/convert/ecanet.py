"""BangguWu/ECANet and digantamisra98/Reproducibilty-Challenge-ECANET, whose other attentions are Echo's."""

from .echo import TABLES
from .names import Source

SOURCE = Source(
    tables={
        **TABLES,
        "Residual": [{"post": "eca"}, {"post": "att"}],
        # the attention comes last in a block's row of layers
        "InvertedResidual": lambda block: {"post": f"conv.{len(block.conv)}"},
    }
)
