"""Names of gbup-group/EAN-efficient-attention-network and gbup-group/DIANet: one attention per stage."""

from ..models.slots import Stage
from .names import NameMap, Table

#: the layers of the first cell are in a block of their own there
LSTM = {"w_ih.0": "w_ih.0.seq", "w_hh.0": "w_hh.0.seq"}


def stage(blocks: Stage) -> Table:
    """The table of a stage, which there has a list of its blocks, and the attention that they share."""
    return {str(i): f"ModuleList.{i}" for i in range(len(blocks))}


NAME_MAP = NameMap(
    tables={
        "se": {"mlp.0": "fc1", "mlp.2": "fc2"},
        "lstm_cell": LSTM,
        "dia": {"cell": ""},
        "stage": stage,
        "residual": [{"post": "^.^.share_fc"}, {"post": "^.^.lstm"}],
    },
    # the attention of a stage in which the scheme connects no block
    unused=(r"(layer\d+\.)?(share_fc|lstm)\..*",),
)
