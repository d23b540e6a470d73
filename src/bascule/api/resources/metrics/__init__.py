"""What monitoring reads, where it has to say who it is."""
