"""What searches found: cells and attentions as plain data, their JSON files, and the published ones."""
