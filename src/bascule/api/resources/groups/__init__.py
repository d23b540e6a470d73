"""What membership of groups brings."""
