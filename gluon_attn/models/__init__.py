"""Backbones, and the plan that says which attention sits where in them. No backbone names an attention."""
