"""What a call is: the kernel every room builds on."""
