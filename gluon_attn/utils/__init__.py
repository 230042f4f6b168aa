"""Small helpers that every other package may import; they import nothing else of gluon_attn."""
