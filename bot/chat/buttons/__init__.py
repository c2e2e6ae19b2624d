"""Buttons that work after any restart, what a click on each does, and the forms that they open."""
