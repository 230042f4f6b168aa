"""Parts that two or more attentions use; of the package they import `utils` and `registry` only."""
