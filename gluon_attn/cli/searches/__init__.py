"""The subcommands of search.py, one file each; none is imported before it is called."""
