"""Parts that two or more attentions use. They import MXNet and `utils`, nothing else of the package."""
