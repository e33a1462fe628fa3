"""Lua for answers about permissions: which are kept, and the marks by which a change or a logout ends them.

Each answer carries the marks of everybody, of its user and of its token that were there when its question began. A
change replaces a mark by one that nobody has seen, so whatever carries the old one is never given again. A mark that
is missing (evicted, flushed) proves nothing, so a new one is made. A mark of a token that was logged out begins with
`q` (quiet): for a while nothing is kept about that token. What is longer than anything that is written here is as if it
were not there, so that nobody who may write to Redis makes replicas read it.
"""

from sidecar.clients.redis.scripts import NOW, STORED, STREAM, Script

# KEYS: the three marks, the answer, the question under way.
_MARKS = (
    STORED
    + """
local function text(key, longest)
  local found = stored(key)
  return type(found) == 'string' and #found <= longest and found or nil
end
local function marks(fresh, life)
  local all = {}
  for each = 1, 3 do
    local found = text(KEYS[each], 64)
    if not found then
      if not fresh then return nil, false end
      found = fresh
      redis.call('SET', KEYS[each], found, 'PX', life)
    end
    all[each] = found
  end
  return table.concat(all, '|') .. '|', string.sub(all[3], 1, 1) == 'q'
end
"""
)

# ARGV: a new mark, its life in ms; to claim also the claimant, its time in ms, and the life in ms that an answer must
# have left to count. Gives the state, the marks, and of a known answer its value and the ms for which it is kept, of a
# claim its moment in us.
LOOK = Script(
    "permissions",
    NOW
    + _MARKS
    + """
local all, quiet = marks(ARGV[1], ARGV[2])
if quiet then return {'quiet'} end
local kept = text(KEYS[4], 1000000)
if kept and string.sub(kept, 1, #all) == all then
  local left = redis.call('PTTL', KEYS[4])
  if left > tonumber(ARGV[5] or '0') then return {'known', all, string.sub(kept, #all + 1), left} end
end
if not ARGV[3] then return {'unknown'} end
if text(KEYS[5], 64) then
  local asked = redis.call('PTTL', KEYS[5])
  if asked > 0 and asked <= tonumber(ARGV[4]) then return {'asked'} end
end
redis.call('SET', KEYS[5], ARGV[3], 'PX', ARGV[4])
return {'claimed', all, string.format('%.0f', now())}
""",
)

# ARGV: the claimant, the marks of the claim, the value, the moment of the claim, the value's life in ms from then on,
# and how much longer a mark lives. An empty value only ends the claim.
KEEP = Script(
    "permissions",
    NOW
    + _MARKS
    + """
if text(KEYS[5], 64) == ARGV[1] then redis.call('DEL', KEYS[5]) end
local all = marks(nil, 0)
if ARGV[3] == '' or all ~= ARGV[2] then return 0 end
local life = math.floor(ARGV[5] - math.max(0, now() - ARGV[4]) / 1000)
if life <= 0 then return 0 end
redis.call('SET', KEYS[4], all .. ARGV[3], 'PX', life)
for each = 1, 3 do
  if redis.call('PTTL', KEYS[each]) < life + ARGV[6] then redis.call('PEXPIRE', KEYS[each], life + ARGV[6]) end
end
return 1
""",
)

# KEYS: the stream, then the marks. ARGV: a new mark, its life in ms, the prefix, the window in us, the sealed news,
# how many of them are kept. Nothing is done within the window after another replica did the same.
ANNOUNCE = Script(
    "news",
    NOW
    + STREAM
    + """
local moment, window = now(), tonumber(ARGV[4])
if window > 0 then
  local found = redis.pcall('GET', KEYS[2])
  local at = type(found) == 'string' and tonumber(string.match(found, '^(%d+)%-'))
  if at and at <= moment and moment - at < window then return false end
end
for each = 2, #KEYS do
  redis.call('SET', KEYS[each], ARGV[3] .. string.format('%.0f', moment) .. '-' .. ARGV[1], 'PX', ARGV[2])
end
return add_entry(KEYS[1], ARGV[6], ARGV[5])
""",
)
