"""What is kept of people and servers, where and for how long; how it is let go, handed over and forgotten."""
