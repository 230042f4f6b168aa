"""The application: from options to the files of a run. The command line and the Python API call it."""
