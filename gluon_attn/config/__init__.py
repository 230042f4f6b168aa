"""Options, each written once, with default and help. Imports no MXNet: a config can be checked anywhere."""
