"""Dreams: what is remembered of them, where they may be shown, and what people prefer. Knows no Discord."""
