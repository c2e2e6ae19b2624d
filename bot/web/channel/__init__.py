"""The local channel: what people do in a Discord server, in a browser, without any account."""
