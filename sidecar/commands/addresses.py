"""How `check` sees, without an administrator's rights, whether Directus believes the address we pass on.

Directus leaves a policy out of `/permissions/me` unless the client's address is in its `ip_access`. The
service policy is for every address that a client can have, so nothing is lost by it; asked in the name of
one that no client can have, a Directus that believes us shows no permission.
"""

# All of IPv4; of IPv6 what is assigned to hosts (RFC 4291 and 4193). `::/0` would do for Directus, but to it
# every IPv4 address is in there too.
EVERY_ADDRESS = ("0.0.0.0/0", "2000::/3", "fc00::/7", "fe80::/10", "::1")
NOBODYS_ADDRESS = "100::1"  # RFC 6666: packets for 100::/64 are discarded
