"""A Discord-compatible server on loopback, so that the real bot process is tested over real sockets.

What Discord keeps (guilds, messages, interactions, permissions) is simcord's backend; this package puts
REST, the gateway and the files in front of it, with real time, rate and upload limits and faults on demand.
"""

from tests.discord_server.faults import Fault, Interference
from tests.discord_server.server import Answer, DiscordServer, NoAnswer, Version

__all__ = ["Answer", "DiscordServer", "Fault", "Interference", "NoAnswer", "Version"]
