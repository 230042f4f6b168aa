"""Backbones, and the plan of the attentions in them. No backbone depends on an attention."""
