"""Training and evaluation. Is handed networks and loaders, and knows neither models nor attentions nor data sets."""
