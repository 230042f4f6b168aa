"""Small helpers that every other package may import; they import nothing of gluon_attn outside this folder."""
