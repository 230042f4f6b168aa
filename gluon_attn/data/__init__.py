"""Data sets in memory or read from files, augmentation, and loaders whose batches follow from the seed alone.

Start at `factory.build`. A new set is one file with a function registered in `base.DATASETS`.
"""
