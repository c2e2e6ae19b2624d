"""Servers: what their moderators set and do, and the words that they banned. Knows no Discord."""
