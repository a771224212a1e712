"""What the shared store runs, in Lua: the rules of `limits.py` once more, in one step that nobody else's comes into.

KEYS: a key's counts (a hash), its calls under way (a sorted set: call → when it counts no longer), those that are
void (the same: call → when that is forgotten).
"""

from __future__ import annotations

REFUSALS = ("", "calls", "requests", "tokens", "day", "month")  # by the number that TAKE answers with
KEEP_S = 40 * 86_400  # counts that nobody asks for are forgotten after the longest period
VOID_MS = 600_000  # far longer than a question may be on its way

# The store's clock; the counts, in the day and the month the caller is in. Whoever comes with another
# epoch knew a store that has lost its memory since, or none: the larger sum is the truer one.
READ = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local today, this_month, told_day, told_month = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'day', 'day_spent', 'month', 'month_spent', 'requests', 'tokens', 'epoch')
local day, day_spent = tonumber(held[1] or -1), tonumber(held[2] or 0)
local month, month_spent = tonumber(held[3] or -1), tonumber(held[4] or 0)
local requests, tokens = tonumber(held[5] or 0), tonumber(held[6] or 0)
local epoch = held[7] or ARGV[6]
if today > day then day, day_spent = today, 0 end
if this_month > month then month, month_spent = this_month, 0 end
if epoch ~= ARGV[5] then
  if today == day then day_spent = math.max(day_spent, told_day) end
  if this_month == month then month_spent = math.max(month_spent, told_month) end
end
local function whole(number) return string.format('%.0f', number) end
local function write()
  redis.call('HSET', KEYS[1], 'day', day, 'day_spent', whole(day_spent), 'month', month, 'month_spent', whole(month_spent),
    'requests', string.format('%.3f', requests), 'tokens', string.format('%.3f', tokens), 'epoch', epoch)
"""
READ += f"  redis.call('EXPIRE', KEYS[1], {KEEP_S})\nend\n"

TAKE = (
    READ
    + """
local per_minute, tokens_per_minute, most_calls = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local day_limit, month_limit = tonumber(ARGV[10]), tonumber(ARGV[11])
local need_tokens, need_nanos, call, lease = tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14], tonumber(ARGV[15])
local function refuse(code, wait)
  write()
  return {code, math.floor(wait) + 1, day_spent, month_spent, epoch}
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZSCORE', KEYS[3], call) then return refuse(1, 0) end
if most_calls > 0 and redis.call('ZCARD', KEYS[2]) >= most_calls then return refuse(1, 999) end
if per_minute > 0 then
  local late = requests - now + 60000 / per_minute - 60000
  if late > 0 then return refuse(2, late) end
end
local wanted = 0
if tokens_per_minute > 0 then
  wanted = math.min(need_tokens, tokens_per_minute) * 60000 / tokens_per_minute
  local late = tokens - now + wanted - 60000
  if late > 0 then return refuse(3, late) end
end
if day_limit >= 0 and day_spent + need_nanos > day_limit then return refuse(4, 0) end
if month_limit >= 0 and month_spent + need_nanos > month_limit then return refuse(5, 0) end
if per_minute > 0 then requests = math.max(requests, now) + 60000 / per_minute end
if wanted > 0 then tokens = math.max(tokens, now) + wanted end
day_spent, month_spent = day_spent + need_nanos, month_spent + need_nanos
redis.call('ZADD', KEYS[2], now + lease, call)
redis.call('PEXPIRE', KEYS[2], 2 * lease)
write()
return {0, 0, day_spent, month_spent, epoch}
"""
)

# KEYS[4] remembers the last batch of a process, so that one sent twice counts once.
GIVE = (
    READ
    + """
local number = tonumber(ARGV[7])
if tonumber(redis.call('GET', KEYS[4]) or -1) < number then
  if tonumber(ARGV[8]) == day then day_spent = day_spent + tonumber(ARGV[9]) end
  if tonumber(ARGV[10]) == month then month_spent = month_spent + tonumber(ARGV[11]) end
  tokens = tokens + tonumber(ARGV[12])
  redis.call('SET', KEYS[4], number, 'EX', 3600)
end
for i = 13, #ARGV do redis.call('ZREM', KEYS[2], ARGV[i]) end
write()
return epoch
"""
)

# Takes a call back whose answer nobody heard: what it took, if it has come; else it takes nothing when it comes.
VOID = (
    READ
    + f"""
local call, keep = ARGV[7], {VOID_MS}
if redis.call('ZREM', KEYS[2], call) == 1 then
  if tonumber(ARGV[8]) == day then day_spent = day_spent - tonumber(ARGV[9]) end
  if tonumber(ARGV[10]) == month then month_spent = month_spent - tonumber(ARGV[11]) end
  requests, tokens = requests - tonumber(ARGV[12]), tokens - tonumber(ARGV[13])
else
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  redis.call('ZADD', KEYS[3], now + keep, call)
  redis.call('PEXPIRE', KEYS[3], keep)
end
write()
return epoch
"""
)
