"""Search by reinforcement learning for the blocks that share an attention (EAN)."""
