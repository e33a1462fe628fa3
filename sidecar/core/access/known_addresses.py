"""Addresses that show, without an administrator's rights, whether Directus believes the one we pass on.

`/permissions/me` leaves a policy out unless the client's address is in the policy's `ip_access`. The service policy
allows every address that a client can have, so it excludes nobody. Asked with an address that no client can have, a
Directus that believes us shows no permission.
"""

# All of IPv4, and the parts of IPv6 that are assigned to hosts (RFC 4291 and 4193). Not `::/0`: it contains
# NOBODYS_ADDRESS, and Directus takes every IPv4 address for a part of it.
EVERY_ADDRESS = ("0.0.0.0/0", "2000::/3", "fc00::/7", "fe80::/10", "::1")
NOBODYS_ADDRESS = "100::1"  # RFC 6666: packets for 100::/64 are discarded
