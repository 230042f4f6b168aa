"""Data sets in memory or read from files, augmentation, and loaders whose batches depend on the seed alone.

Start at `factory.build`. A new data set is one file with a function registered in `base.DATASETS`.
"""
