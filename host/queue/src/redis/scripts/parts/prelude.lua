local call = redis.call

-- Values that one command takes: the interpreter's stack has room for 8,000.
local VALUES_MAX = 1000

-- Calls a command on a key with a list of values, as often as it takes.
local function bulk(command, key, values)
  for first = 1, #values, VALUES_MAX do
    call(command, key, unpack(values, first, math.min(first + VALUES_MAX - 1, #values)))
  end
end

-- On a server whose memory is full a script may write as long as its first write asks for no memory.
-- Whatever brings jobs to their end begins with this: so room is made.
local function even_if_full()
  call('HDEL', k_meta, '')
end

-- The queue's numbers. What is set is written by `save`.
local meta, changed = {}, {}
do
  local all = call('HGETALL', k_meta)
  for i = 1, #all, 2 do
    meta[all[i]] = tonumber(all[i + 1])
  end
end

-- Time doesn't go back, whatever the clock does.
local now = math.max(clock, meta.now or 0)

local function number(name)
  return meta[name] or 0
end

local function set(name, value)
  meta[name] = value
  changed[name] = true
end

local function bump(name, by)
  set(name, number(name) + by)
end

local function save()
  set('now', now)
  local values = {}
  for name in pairs(changed) do
    values[#values + 1] = name
    values[#values + 1] = meta[name]
  end
  bulk('HSET', k_meta, values)
end

-- The arguments in their order.
local taken = 0
local function take()
  taken = taken + 1
  return ARGV[taken]
end

local function take_number()
  return tonumber(take())
end
