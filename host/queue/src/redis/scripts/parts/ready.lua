-- The lines of ready jobs, one a class, in the order of turns; and who waits for such jobs.
local READY = { k_ready_0, k_ready_1, k_ready_2, k_ready_3 }

-- A hungry worker is noted by its id, its box and the ticket under which a job may be assigned to it; or
-- by this one, if it is to be called alone.
local CALL, BOX_AT, TICKET_AT = '\0\0\0\0', 17, 49

-- How many jobs this script made ready.
local fresh = 0

-- A job of this weight waits: for a worker, or for its time. The heaviest since none waited is known, so that
-- a worker's share needn't be weighed job by job.
local function add_weight(weight)
  bump('bytes', weight)
  if weight > number('heaviest') then
    set('heaviest', weight)
  end
end

-- Whether so many of the jobs that wait could be more than so many bytes.
local function could_exceed(count, bytes)
  local heaviest = meta.heaviest
  return number('bytes') > bytes and not (heaviest and count * heaviest <= bytes)
end

-- A score with a part below a millisecond: what has the same time goes in the order of `n`.
local function after(time, n)
  return time + (n % 4096) / 4096
end

local function next_turn()
  bump('turn', 1)
  return number('turn')
end

local function ready_count()
  local count = 0
  for _, key in ipairs(READY) do
    count = count + call('ZCARD', key)
  end
  return count
end

-- How long until the next scheduled job is due, in milliseconds; nothing, if there is none.
local function next_due()
  local first = call('ZRANGE', k_scheduled, 0, 0, 'WITHSCORES')
  if first[2] then
    return math.max(math.floor(tonumber(first[2])) - now, 0)
  end
end

-- Calls a worker that was hungry. Answers how many heard of it: one or none.
local function ring(member)
  return call('PUBLISH', mail .. member:sub(BOX_AT, TICKET_AT - 1), 'w' .. member:sub(1, BOX_AT - 1))
end

-- Wakes one hungry worker for each of `count` jobs.
local function wake(count)
  if count <= 0 or number('paused') == 1 then
    return
  end
  local called = call('ZPOPMIN', k_hungry, count)
  for i = 1, #called, 2 do
    ring(called[i])
  end
end

-- Wakes workers for the jobs that this script made ready and that are so still.
local function wake_for_fresh()
  wake(fresh > 0 and math.min(fresh, ready_count()) or 0)
end
