"""The tables of single attentions: as many names as tensors, each to its parameter."""

import numpy as np
import pytest
from reference_states import state_of

from gluon_attn import get_attention
from gluon_attn.attention.factory import attention_options
from gluon_attn.convert import load_reference


@pytest.mark.parametrize(
    ("name", "source", "options"),
    [
        *(("se", source, {"bias": False}) for source in ("att-darts", "anas")),
        *(("se", source, {}) for source in ("ean", "ecanet", "echo", "timm")),
        *(("cbam", source, {}) for source in ("att-darts", "echo", "timm")),
        *(("bam", source, {"norm": "inner", "layers": 2}) for source in ("att-darts", "echo")),
        *(("ge_theta_plus", source, {"extent": extent}) for source in ("att-darts", "timm") for extent in (0, 2, 8)),
        ("a2", "att-darts", {}),
        ("anas", "anas", {}),
        ("eca", "ecanet", {}),
        ("eca_ns", "ecanet", {}),
        ("sge", "ean", {}),
        ("dia", "ean", {"layers": 2}),
        ("cha_atac", "open-atac", {"global_pool": True}),
        ("light_cbam", "timm", {}),
        ("gc", "timm", {}),
        ("gca", "timm", {}),
        ("ese", "timm", {}),
        ("eca_mlp", "timm", {}),
    ],
)
def test_every_tensor_has_its_own_name(name, source, options):
    """As many names as tensors, all other than Gluon's for a normalisation, each to its parameter."""
    if "spatial" in attention_options(name):
        options = {**options, "spatial": 6}
    block = get_attention(name, 16, **options)
    state, ours = state_of(block, source)
    assert len(state) == len(ours)
    assert source == "open-atac" or not any(part in n for n in state for part in ("gamma", "beta"))
    load_reference(block, dict(reversed(state.items())), source)
    own = block._collect_params_with_prefix()
    for path, value in ours.items():
        turned = value[:, ::-1] if (name, path, source) == ("cbam", "conv.weight", "timm") else value
        np.testing.assert_array_equal(own[path].data().asnumpy(), turned)


@pytest.mark.parametrize(("extent", "step"), [(0, ""), (2, ""), (4, ".1")])
def test_att_darts_names_of_a_gathering(extent, step):
    """One step has no number there."""
    state, _ = state_of(get_attention("ge_theta_plus", 16, extent=extent, spatial=6), "att-darts")
    assert {f"_mask.downop{step}.dwconv.weight", f"_mask.downop{step}.bn.running_var"} <= set(state)
