"""The form of a script that Redis runs as one step, on its own clock."""

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Script:
    """`part` is the metric's label for it."""

    part: str
    text: str

    @cached_property
    def sha1(self) -> str:
        """Give the name by which Redis knows a script that it ran before."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


# Microseconds; whole numbers of this size are exact in Lua up to the year 2255.
NOW = """
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
"""

# `stored` gives a text, false where there is none, and a table for anything else. An error other than that of the type,
# such as a missing right, is no value: it ends the script.
STORED = """
local function usable(reply)
  local failed = type(reply) == 'table' and reply.err
  if failed and not string.find(failed, 'WRONGTYPE', 1, true) then error(failed) end
  return reply
end
local function stored(key)
  return usable(redis.pcall('GET', key))
end
"""

# The last entry of a stream, and one more, which names it. What somebody put in the place of a key goes, also a stream
# that has no ID left; readers see the gap.
STREAM = """
local function replace_foreign(command, key, ...)
  local found = redis.pcall(command, key, ...)
  if type(found) == 'table' and found.err and string.sub(found.err, 1, 9) == 'WRONGTYPE' then redis.call('DEL', key) end
end
local function last_entry(stream)
  replace_foreign('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  local found = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  return found and found[1]
end
local function add_entry(stream, most, news)
  local before = last_entry(stream) or '0-0'
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', most, '*', 'before', before, 'news', news)
  if type(added) == 'string' then return added end
  redis.call('DEL', stream)
  return redis.call('XADD', stream, 'MAXLEN', '~', most, '*', 'before', '0-0', 'news', news)
end
"""
