"""Object detection: learning, inference, results and their figures, pictures."""
