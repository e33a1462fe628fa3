"""The scripts of the shared budgets: the generic cell rate algorithm on Redis's clock, and a line of replicas.

All times are in microseconds. A limit has three keys: the moment from which on there is a turn (as in
`core.traffic.rate`), the end of a pause, and the line: the replicas that were told to wait, each with the moment that
it was told. A turn is kept for each replica before one in the line, so they have turns in order and each polls about
once for each turn. One that does not come by `burst` after its moment has left; until then nothing is lost, since
turns of that time may still be used.

Whatever else somebody put into these keys is unreadable: it is replaced, and counts as a turn used just now or as no
pause. Who finds it has no place in the line, since it will not wait.
"""

from sidecar.clients.redis.scripts import NOW, STORED, Script

_PART = "budgets"

# KEYS: due, pause, line of the account, then of the endpoint. ARGV: both gaps, burst, longest pause, this replica.
# Gives: whether a turn was taken; for both limits how long to wait and how many replicas wait; how much was unreadable.
TAKE = Script(
    _PART,
    NOW
    + STORED
    + """
local at, burst, longest, replica = now(), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local unreadable = 0

local function keep(key, moment, gap)
  redis.call('SET', key, string.format('%.0f', moment), 'PX', math.ceil((gap + longest) / 1000) + 1000)
end

local function read(key, latest, otherwise, gap)
  local value = stored(key)
  if not value then return at - burst end
  local moment = type(value) == 'string' and tonumber(value)
  if moment and moment <= latest then return moment end
  unreadable = unreadable + 1
  keep(key, otherwise, gap)
  return otherwise
end

local function trim(line, last)
  local left = usable(redis.pcall('ZREMRANGEBYSCORE', line, '-inf', at - burst))
  if type(left) == 'table' then
    unreadable = unreadable + 1
    redis.call('DEL', line)
  end
  redis.call('ZREMRANGEBYSCORE', line, '(' .. string.format('%.0f', last), '+inf')
end

local function limit(due_key, pause_key, line, gap)
  local last = at + gap + longest
  local due = read(due_key, at + gap, at + gap, gap)
  local pause = read(pause_key, at + longest, at - burst, gap)
  due = math.max(at - burst, due, pause)
  trim(line, last)
  local mine = redis.call('ZSCORE', line, replica)
  local others = redis.call('ZCARD', line) - (mine and 1 or 0)
  local before = mine and redis.call('ZCOUNT', line, '-inf', '(' .. mine) or others
  return {
    due = due, due_key = due_key, line = line, gap = gap, replicas = others + 1,
    free = math.min(due + before * gap, last),
  }
end

local account = limit(KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1]))
local endpoint = limit(KEYS[4], KEYS[5], KEYS[6], tonumber(ARGV[2]))
local taken = account.free <= at and endpoint.free <= at
for _, its in ipairs({account, endpoint}) do
  if taken then
    keep(its.due_key, its.due + its.gap, its.gap)
    redis.call('ZREM', its.line, replica)
  elseif its.free > at and unreadable == 0 then
    redis.call('ZADD', its.line, string.format('%.0f', its.free), replica)
    redis.call('PEXPIRE', its.line, math.ceil((its.gap + longest) / 1000) + 1000)
  end
end
local function wait(its) return math.ceil(math.max(0, its.free - at)) end
return {taken and 1 or 0, wait(account), account.replicas, wait(endpoint), endpoint.replicas, unreadable}
""",
)

# KEYS: both due moments. ARGV: both gaps.
GIVE_BACK = Script(
    _PART,
    """
for index, key in ipairs(KEYS) do
  local value = redis.pcall('GET', key)
  local moment = type(value) == 'string' and tonumber(value)
  if moment then
    redis.call('SET', key, string.format('%.0f', moment - tonumber(ARGV[index])), 'KEEPTTL')
  end
end
""",
)

# KEYS: a pause. ARGV: how long, the longest pause.
PAUSE = Script(
    _PART,
    NOW
    + """
local at, longest = now(), tonumber(ARGV[2])
local ends = at + math.min(tonumber(ARGV[1]), longest)
local value = redis.pcall('GET', KEYS[1])
local there = type(value) == 'string' and tonumber(value)
if not (there and there >= ends and there <= at + longest) then
  redis.call('SET', KEYS[1], string.format('%.0f', ends), 'PX', math.ceil(longest / 1000) + 1000)
end
""",
)
