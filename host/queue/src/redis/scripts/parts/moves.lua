-- How jobs move between the indexes of their queue. A move is noted, and carried out for all jobs of
-- the script together by `flush`.
local BY_TURN = { C = k_completed, F = k_failed, X = k_cancelled }
local BY_EXPIRY = { C = k_kept, F = k_kept_failed, X = k_kept }
local TOTALS = { C = 'completed', F = 'failed', X = 'cancelled' }

-- Which of the records that were taken apart are to be written.
local dirty = {}
-- Members to be added to and removed from sorted sets, by key.
local added, removed = {}, {}
-- Jobs that came to their end, and that were forgotten.
local ended, gone = {}, {}
-- Outcomes to be written; jobs that the worker holds no longer.
local outcomes, let_go = {}, {}

local function add(key, score, id)
  local values = added[key] or {}
  added[key] = values
  values[#values + 1] = score
  values[#values + 1] = id
end

local function remove(key, id)
  local values = removed[key] or {}
  removed[key] = values
  values[#values + 1] = id
end

local function keep(id, r)
  records[id] = r
  dirty[id] = true
end

-- The record of a job that was fetched, taken apart.
local function record(id)
  local r = records[id]
  if not r and packed[id] then
    r = decode(packed[id])
    records[id] = r
  end
  return r
end

-- Puts a job into the indexes of its state.
local function place(id, r)
  if r.state == 'q' then
    add(READY[r.class + 1], r.turn, id)
    add_weight(r.weight)
    fresh = fresh + 1
  elseif r.state == 's' then
    add(k_scheduled, after(r.run_at, r.turn), id)
    add(k_later, r.turn, id)
    add_weight(r.weight)
  elseif is_running(r) then
    bump('running', 1)
  else
    add(BY_TURN[r.state], r.turn, id)
    -- Completed jobs of one millisecond are forgotten in any order: a score with a part below it
    -- costs twice as much to write.
    local expiry = r.state == 'C' and r.expires_at or after(r.expires_at, number(TOTALS[r.state]))
    add(BY_EXPIRY[r.state], expiry, id)
  end
end

-- Takes a job out of the indexes of its state.
local function displace(id, r)
  if r.state == 'q' then
    remove(READY[r.class + 1], id)
    bump('bytes', -r.weight)
  elseif r.state == 's' then
    remove(k_scheduled, id)
    remove(k_later, id)
    bump('bytes', -r.weight)
  elseif is_running(r) then
    bump('running', -1)
    let_go[#let_go + 1] = id
    r.worker = NOBODY
  else
    remove(BY_TURN[r.state], id)
    remove(BY_EXPIRY[r.state], id)
  end
end

-- A key is given up by its owner only.
local function give_up_unique(id, r)
  if has(r, HAS_UNIQUE) then
    local field = call('HGET', k_uniques, id)
    if field and call('HGET', k_unique, field) == id then
      call('HDEL', k_unique, field)
    end
  end
end

-- Moves a job to a state; its time, turn and counters are set already.
local function shift(id, r, state)
  displace(id, r)
  r.state = state
  if is_final(r) then
    r.completed_at = now
    r.expires_at = now + (state == 'C' and r.ttl or age_max)
    bump(TOTALS[state], 1)
    give_up_unique(id, r)
    ended[#ended + 1] = id
  else
    r.completed_at, r.expires_at = 0, 0
    if has(r, HAS_NOTES) then
      call('HDEL', k_notes, id .. 'p')
    end
  end
  place(id, r)
  keep(id, r)
end

-- Notes what a settled attempt left. The version that ran last is kept until another ran.
local function leave(id, r, outcome)
  if outcome:byte() == 0 and has(r, HAS_OUTCOME) then
    local old = call('HGET', k_outcomes, id)
    if old and old:byte() == 1 then
      outcome = old:sub(1, 33) .. outcome:sub(2)
    end
  end
  mark(r, HAS_OUTCOME)
  outcomes[#outcomes + 1] = id
  outcomes[#outcomes + 1] = outcome
end

-- Takes the running attempt back as if it had never started.
local function uncount(r)
  r.attempt = math.max(r.attempt - 1, 0)
  r.started_at = r.started_before
end

-- Carries out the moves that were noted.
local function flush()
  for key, values in pairs(removed) do
    bulk('ZREM', key, values)
  end
  for key, values in pairs(added) do
    bulk('ZADD', key, values)
  end
  if #let_go > 0 then
    bulk('SREM', k_held, let_go)
  end
  bulk('HSET', k_outcomes, outcomes)
  added, removed, outcomes, let_go = {}, {}, {}, {}
end

local function write_records()
  local values = {}
  for id in pairs(dirty) do
    local bytes = encode(records[id])
    packed[id] = bytes
    values[#values + 1] = id
    values[#values + 1] = bytes
  end
  bulk('HSET', k_states, values)
  dirty = {}
end

-- Drops what attempts had to say.
local function drop_notes(id)
  local fields = { id .. 'p', id .. 'c', id .. 'L' }
  local log = call('HGET', k_notes, id .. 'L')
  if log then
    local first, next = struct.unpack('>I4I4', log)
    for chunk = first, next - 1 do
      fields[#fields + 1] = id .. 'l' .. chunk
    end
  end
  bulk('HDEL', k_notes, fields)
end

-- Forgets jobs that no worker holds.
local function forget(ids)
  if #ids == 0 then
    return
  end
  for _, id in ipairs(ids) do
    local r = record(id)
    displace(id, r)
    if not is_final(r) then
      give_up_unique(id, r)
    end
    if has(r, HAS_NOTES) then
      drop_notes(id)
    end
    packed[id], records[id], dirty[id] = nil, nil, nil
    gone[#gone + 1] = id
  end
  flush()
  for _, key in ipairs({ k_jobs, k_states, k_outcomes, k_uniques, k_lapses }) do
    bulk('HDEL', key, ids)
  end
end

local function tell_ended()
  tell(ended, function(id)
    return letter_of_end(id, encode(record(id)))
  end)
  ended = {}
end

local function tell_gone()
  tell(gone, function(id)
    return 'g' .. id
  end)
  gone = {}
end

-- Forgets the first jobs of an index by expiry. The index may name a job that isn't there, if the server
-- lost keys: that must not stop the queue, so the entry goes.
local function forget_first(key, ids)
  fetch(ids)
  local known = {}
  for _, id in ipairs(ids) do
    local r = record(id)
    if r and is_final(r) then
      known[#known + 1] = id
    else
      call('ZREM', key, id)
    end
  end
  forget(known)
end

-- Forgets what is kept for too long or too many, what expires first ahead.
local function trim(items_max)
  local room = TRIM_MAX
  for _, key in ipairs({ k_kept, k_kept_failed }) do
    local ids = surplus(key, items_max, room, true)
    room = room - #ids
    forget_first(key, ids)
  end
end

-- The end of every script that moves jobs.
local function finish(items_max)
  flush()
  tell_ended()
  trim(items_max)
  write_records()
  tell_gone()
  wake_for_fresh()
  save()
end
