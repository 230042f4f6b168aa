"""gbup-group/EAN-efficient-attention-network and gbup-group/DIANet: one attention for all blocks of a stage."""

from .names import Source

#: layers of the first cell have a name of their own there
LSTM = {"w_ih.0": "w_ih.0.seq", "w_hh.0": "w_hh.0.seq"}


def stage(blocks):
    """A stage holds a list of its blocks, and the attention that they share."""
    return {str(i): f"ModuleList.{i}" for i in range(len(blocks))}


SOURCE = Source(
    tables={
        "se": {"mlp.0": "fc1", "mlp.2": "fc2"},
        "lstm_cell": LSTM,
        "dia": {"cell": ""},
        "stage": stage,
        "residual": [{"post": "^.^.share_fc"}, {"post": "^.^.lstm"}],
    },
    # of a stage where the scheme has no block with attention
    unused=(r"(layer\d+\.)?(share_fc|lstm)\..*",),
)
