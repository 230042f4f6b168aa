"""Studies: sets of training runs that differ in named options, shared by processes through an Optuna storage."""
