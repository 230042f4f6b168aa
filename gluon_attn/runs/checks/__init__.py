"""What holds for every attention and model, as functions of a case; `run` makes a table of them."""
