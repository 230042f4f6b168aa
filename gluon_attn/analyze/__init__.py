"""What a network costs, how fast it is, and pictures of how it trained."""
