"""Trained networks outside the training program: exported, checked, and used for prediction."""
