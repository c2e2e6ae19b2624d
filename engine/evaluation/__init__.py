"""Do dreams come true: a list of prompts, dreamt and judged."""
