"""Which addresses are of the public internet: what is not known to be is not. Standard library only.

Python's own `is_global` says otherwise on one version than on the next, and takes e.g. fec0::/10 for public.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA IPv4 Special-Purpose Address Registry (2025-10), all of it, and multicast.
_SPECIAL_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")  # IANA IPv6 Address Space: Global Unicast, and nothing else is
# What of that the IANA IPv6 Special-Purpose Address Registry (2025-10) takes out.
_SPECIAL_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
# IPv4 addresses written as IPv6 ones, which lead to the IPv4 address.
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # RFC 4291, 2.5.5.2
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052, 2.1: hosts without IPv4 reach it by that
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: the third quarter of such an address, the last is IPv4


def public(address: Address) -> bool:
    """Whether an address is of the public internet, also where it is written within another one."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _MAPPED or address in _NAT64:
        return public(inner)
    if int(address) >> 32 & 0xFFFFFFFF in _ISATAP and not public(inner):
        return False
    return address in _GLOBAL_6 and not any(address in network for network in _SPECIAL_6)
