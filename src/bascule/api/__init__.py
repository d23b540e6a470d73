"""What operators change, over REST."""
