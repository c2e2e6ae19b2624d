"""What the bot posts in channels and keeps up to date."""
