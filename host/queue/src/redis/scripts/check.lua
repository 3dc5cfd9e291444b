-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry assigned leases reaped cancelling held
-- parts: layout view record ready kept moves worker
-- Holds what is kept of some jobs against the jobs' records, and repairs it if it is told to. Where the
-- two differ the record is right, since a job's next move is decided by it.
local repairs = take_number() == 1
age_max = take_number()
if repairs then
  even_if_full()
end

-- What workers hold that these jobs may name.
local held_keys, workers = {}, take_number()
for i = 1, workers do
  held_keys[take()] = KEYS[#KEYS - workers + i]
end

-- Every sorted set, by name; and every hash that has something of a job under its id.
local LINES = {
  ['ready:0'] = k_ready_0, ['ready:1'] = k_ready_1, ['ready:2'] = k_ready_2, ['ready:3'] = k_ready_3,
  scheduled = k_scheduled, later = k_later, completed = k_completed, failed = k_failed,
  cancelled = k_cancelled, kept = k_kept, ['kept:failed'] = k_kept_failed,
}
local HASHES = {
  states = k_states, outcomes = k_outcomes, uniques = k_uniques, lapses = k_lapses,
  waiters = k_waiters,
}
local ENDED = { C = 'completed', F = 'failed', X = 'cancelled' }
local KEPT = { C = 'kept', F = 'kept:failed', X = 'kept' }
local RECORD_BYTES = struct.size(RECORD)

local items = {}
for i = 1, take_number() do
  items[i] = { kind = take(), a = take(), b = take() }
end

-- What was found: the item, the kind of fault, a detail, and whether it is repaired.
local faults, is_repaired = {}, false
-- Items that have to be looked at again, since they name a worker whose key wasn't declared.
local again = {}
-- What there is of jobs that were looked at.
local jobs, bytes, running, turn = 0, 0, 0, 0
-- The item that is looked at.
local current

-- Notes a fault, and answers whether it is to be repaired.
local function is_to_be_repaired(kind, detail, can_be)
  local does = repairs and can_be ~= false
  faults[#faults + 1] = { current, kind, detail or '', does and 1 or 0 }
  is_repaired = is_repaired or does
  return does
end

-- The scores of all jobs among the items in every sorted set.
local scores = {}
do
  local ids = {}
  for _, item in ipairs(items) do
    if item.kind == 'j' then
      ids[#ids + 1] = item.a
    end
  end
  for name, key in pairs(LINES) do
    scores[name] = {}
    local found = #ids > 0 and call('ZMSCORE', key, unpack(ids)) or {}
    for i, id in ipairs(ids) do
      scores[name][id] = found[i] and tonumber(found[i]) or nil
    end
  end
end

-- A job's record, and what is wrong if there is none that can be read.
local function read(id)
  local length, bytes = call('HSTRLEN', k_jobs, id), call('HGET', k_states, id)
  local r = records[id]
  if not r and bytes and #bytes == RECORD_BYTES then
    r = decode(bytes)
    local is_odd = not ('sqrkCFX'):find(r.state, 1, true) or r.class > 3
    if is_odd or is_running(r) and r.worker == NOBODY then
      r = nil
    end
  end
  if length == 0 then
    return r, 'gone'
  elseif length < HEADER_BYTES then
    return r, 'envelope'
  elseif bytes and not r then
    return nil, 'record'
  end
  return r or untouched(call('HGET', k_jobs, id))
end

local function names_of(found)
  table.sort(found)
  return table.concat(found, ', ')
end

-- Removes all that there is of a job.
local function erase(id, r)
  if r then
    if r.state == 'k' then
      strike(r.worker, id)
    end
    k_held = held_keys[r.worker]
    displace(id, r)
    flush()
  end
  give_up_unique(id, { flags = HAS_UNIQUE })
  drop_notes(id)
  for _, key in ipairs({ k_jobs, k_states, k_outcomes, k_uniques, k_lapses }) do
    call('HDEL', key, id)
  end
  for _, key in pairs(LINES) do
    call('ZREM', key, id)
  end
  records[id], dirty[id] = nil, nil
  gone[#gone + 1] = id
end

local function check_remains(id, r)
  local found = {}
  for name, key in pairs(HASHES) do
    if call('HEXISTS', key, id) == 1 then
      found[#found + 1] = name
    end
  end
  for name in pairs(LINES) do
    if scores[name][id] then
      found[#found + 1] = name
    end
  end
  if #found > 0 and is_to_be_repaired('remains', 'in ' .. names_of(found)) then
    erase(id, r)
  end
end

-- A job without a record that can be read has ended, if it is among those; else it begins anew.
local function check_unreadable(id)
  local has_ended = false
  for _, name in pairs(ENDED) do
    has_ended = has_ended or scores[name][id]
  end
  if is_to_be_repaired('unreadable', 'its record') then
    if has_ended then
      return erase(id)
    end
    call('HDEL', k_states, id)
    return read(id)
  end
end

-- Where a job has to be, and under which scores.
local function places(r)
  if r.state == 'q' then
    return { ['ready:' .. r.class] = r.turn }
  elseif r.state == 's' then
    return { scheduled = after(r.run_at, r.turn), later = r.turn }
  elseif is_running(r) then
    return {}
  end
  return { [ENDED[r.state]] = r.turn, [KEPT[r.state]] = r.expires_at }
end

local function check_places(id, r)
  local right, wrong = places(r), {}
  for name in pairs(LINES) do
    local is, should_be = scores[name][id], right[name]
    if is and (name == 'kept' or name == 'kept:failed') then
      -- The part below a millisecond says only which of several goes first.
      is = math.floor(is)
    end
    if is and not should_be then
      wrong[#wrong + 1] = 'in ' .. name
    elseif should_be and not is then
      wrong[#wrong + 1] = 'not in ' .. name
    elseif is ~= should_be then
      wrong[#wrong + 1] = 'misplaced in ' .. name
    end
  end
  if #wrong > 0 and is_to_be_repaired('misplaced', names_of(wrong)) then
    for name, key in pairs(LINES) do
      if right[name] then
        call('ZADD', key, right[name], id)
      else
        call('ZREM', key, id)
      end
    end
    fresh = fresh + (r.state == 'q' and 1 or 0)
  end
end

-- A job that runs does so under a lease of a worker who knows of it.
local function check_running(id, r)
  local worker, key = r.worker, held_keys[r.worker]
  if not call('ZSCORE', k_leases, worker) then
    if is_to_be_repaired('orphaned') then
      -- Should it be alive after all, it is told so by its next cycle.
      call('ZADD', k_reaped, 'NX', now, worker)
      k_held = key
      uncount(r)
      if give_back(id, r, 'q') == 'q' then
        bump('released', 1)
      end
      flush()
    end
    return
  end
  local is_held = call('SISMEMBER', key, id) == 1 or call('HGET', k_assigned, worker) == id
  if not is_held and is_to_be_repaired('not-held') then
    call('SADD', key, id)
  end
  if r.state == 'k' then
    local ids, is_listed = cancelling(worker), false
    ids = ids:sub(1, #ids - #ids % 16)
    for at = 1, #ids, 16 do
      is_listed = is_listed or ids:sub(at, at + 15) == id
    end
    if not is_listed and is_to_be_repaired('cancel-request', 'it is lost') then
      set_cancelling(worker, ids .. id)
    end
  end
end

-- Whether a job has a right to a unique key.
local function is_owner(id, field)
  local r, why = read(id)
  if why == 'record' then
    return true
  end
  return r and not why and not is_final(r) and has(r, HAS_UNIQUE)
    and call('HGET', k_uniques, id) == field
end

local function check_claim(id, r)
  local field = call('HGET', k_uniques, id)
  if not has(r, HAS_UNIQUE) then
    if field and is_to_be_repaired('unique-claim', 'it has no key') then
      call('HDEL', k_uniques, id)
    end
  elseif not field then
    if is_to_be_repaired('unique-claim', 'its key is lost') then
      r.flags = r.flags - HAS_UNIQUE
      keep(id, r)
    end
  elseif not is_final(r) then
    local owner = call('HGET', k_unique, field)
    if owner ~= id then
      local is_taken = owner and is_owner(owner, field)
      local detail = is_taken and 'another job has its key' or 'it is without its key'
      if is_to_be_repaired('unique-claim', detail, not is_taken) then
        call('HSET', k_unique, field, id)
      end
    end
  end
end

local function check_rest(id, r)
  local has_outcome = call('HEXISTS', k_outcomes, id) == 1
  if has(r, HAS_OUTCOME) ~= has_outcome then
    if is_to_be_repaired('outcome', has_outcome and 'not marked' or 'it is lost') then
      r.flags = r.flags + (has_outcome and HAS_OUTCOME or -HAS_OUTCOME)
      keep(id, r)
    end
  end
  if is_final(r) and call('HEXISTS', k_waiters, id) == 1 and is_to_be_repaired('waiters') then
    records[id] = r
    ended[#ended + 1] = id
  end
end

-- What there is of a queue that anybody can have something to do with.
local look = {}

function look.j(id)
  local r, why = read(id)
  if r and is_running(r) and not held_keys[r.worker] then
    again[#again + 1] = current
    return
  end
  if why == 'gone' then
    return check_remains(id, r)
  elseif why == 'envelope' then
    if is_to_be_repaired('unreadable', 'its envelope') then
      erase(id, r)
    end
    return
  elseif why == 'record' then
    r = check_unreadable(id)
  end
  if not r then
    return
  end
  jobs, turn = jobs + 1, math.max(turn, r.turn)
  -- One that was never touched and isn't due had a record of its being scheduled.
  if r.state == 'q' and r.run_at > now and is_to_be_repaired('misplaced', 'it is not due') then
    r.state = 's'
    keep(id, r)
  end
  if is_running(r) then
    running = running + 1
  elseif not is_final(r) then
    bytes = bytes + r.weight
  end
  check_places(id, r)
  check_claim(id, r)
  check_rest(id, r)
  if is_running(r) then
    check_running(id, r)
  end
end

local function is_held(id, worker)
  local r = read(id)
  return r and is_running(r) and r.worker == worker
end

-- A worker's set of what it holds.
function look.h(id, worker)
  local key = held_keys[worker]
  if call('SISMEMBER', key, id) == 1 and not is_held(id, worker) and is_to_be_repaired('held') then
    call('SREM', key, id)
  end
end

-- What is assigned to a worker and it hasn't told of yet.
function look.a(id, worker)
  local is_there = call('HGET', k_assigned, worker) == id
  if is_there and not is_held(id, worker) and is_to_be_repaired('held') then
    call('HDEL', k_assigned, worker)
  end
end

-- A worker's list of what it is to cancel.
function look.c(id, worker)
  local ids = cancelling(worker)
  for at = 1, #ids, 16 do
    if ids:sub(at, at + 15) == id then
      local r = read(id)
      local is_right = r and r.state == 'k' and r.worker == worker
      if not is_right and is_to_be_repaired('cancel-request', 'it is of no use') then
        strike(worker, id)
      end
      return
    end
  end
end

-- A unique key and its owner.
function look.u(owner, field)
  if call('HGET', k_unique, field) ~= owner or is_owner(owner, field) then
    return
  end
  local r, why = read(owner)
  local is_unknown = r and not why and not is_final(r) and has(r, HAS_UNIQUE)
    and not call('HGET', k_uniques, owner)
  if is_unknown then
    if is_to_be_repaired('unique-key', 'its owner does not know') then
      call('HSET', k_uniques, owner, field)
    end
  elseif is_to_be_repaired('unique-key', 'its owner has no right to it') then
    call('HDEL', k_unique, field)
  end
end

-- A part of what attempts had to say.
function look.n(id, field)
  if call('HEXISTS', k_notes, field) == 0 then
    return
  end
  local r, why = read(id)
  if why == 'gone' then
    if is_to_be_repaired('remains', 'in notes') then
      call('HDEL', k_notes, field)
    end
  elseif r and not has(r, HAS_NOTES) and is_to_be_repaired('notes') then
    mark(r, HAS_NOTES)
    keep(id, r)
  end
end

for i, item in ipairs(items) do
  current = i
  look[item.kind](item.a, item.b)
end
if is_repaired then
  tell_ended()
  write_records()
  tell_gone()
  wake_for_fresh()
  save()
end
return { faults, again, jobs, bytes, running, turn }
