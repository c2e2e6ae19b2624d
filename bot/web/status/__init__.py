"""For whoever hosts: is everything ready, numbers for Prometheus, and a page with charts."""
