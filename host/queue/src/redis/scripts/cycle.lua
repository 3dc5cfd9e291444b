-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry leases boxes reaped cancelling outbox held
-- parts: record ready moves worker admit
local worker, box = take(), take()
local lease, holds, want, want_bytes = take_number(), take_number(), take_number(), take_number()
local batch_max, promote_max, share = take_number(), take_number(), take_number()
local items_max, log_max = take_number(), take_number()
age_max = take_number()
local notes_count, settlements_count = take_number(), take_number()

if not is_admitted(worker, holds > 0 or notes_count + settlements_count > 0) then
  return { 'reaped' }
end

even_if_full()
call('ZREM', k_hungry, worker .. box)

local notes, settlements, ids = {}, {}, {}

-- Takes what begins with a kind, an id and an attempt.
local function take_held()
  local kind, id, attempt = struct.unpack('>c1c16I4', take())
  ids[#ids + 1] = id
  return { kind = kind, id = id, attempt = attempt }
end

for i = 1, notes_count do
  notes[i] = take_held()
  notes[i].text, notes[i].lines = take(), take_number()
end
for i = 1, settlements_count do
  local s = take_held()
  s.outcome, s.delay = take(), tonumber(take())
  local follow_ups, abroad = take_number(), take_number()
  if follow_ups + abroad > 0 then
    s.follow_ups, s.abroad = {}, {}
    for n = 1, follow_ups do
      s.follow_ups[n] = take_item()
    end
    for n = 1, abroad do
      s.abroad[n] = { id = take(), text = take() }
    end
  end
  settlements[i] = s
end
fetch(ids)

-- Adds lines to a job's log: a chunk for each note, and what is over the bound goes, oldest first.
local function log(id, text, count)
  local first, next, lines = 1, 1, 0
  local known = call('HGET', k_notes, id .. 'L')
  if known then
    first, next, lines = struct.unpack('>I4I4I4', known)
  end
  call('HSET', k_notes, id .. 'l' .. next, struct.pack('>I4', count) .. text)
  next, lines = next + 1, lines + count
  while first < next - 1 do
    local oldest = struct.unpack('>I4', call('HGET', k_notes, id .. 'l' .. first))
    if lines - oldest < log_max then
      break
    end
    call('HDEL', k_notes, id .. 'l' .. first)
    first, lines = first + 1, lines - oldest
  end
  call('HSET', k_notes, id .. 'L', struct.pack('>I4I4I4', first, next, lines))
end

for _, note in ipairs(notes) do
  local r = held(worker, note.id, note.attempt)
  if r then
    if not has(r, HAS_NOTES) then
      mark(r, HAS_NOTES)
      keep(note.id, r)
    end
    if note.kind == 'l' then
      log(note.id, note.text, note.lines)
    else
      call('HSET', k_notes, note.id .. note.kind, note.text)
    end
  end
end

local settle = {
  -- Completed: jobs that it enqueues come in the same step, those for other queues by the outbox. By
  -- then it has given up its unique key, so that it can enqueue its successor.
  C = function(s, r)
    if r.state == 'k' then
      strike(worker, s.id)
    end
    leave(s.id, r, s.outcome)
    if has(r, HAS_NOTES) then
      call('HDEL', k_notes, s.id .. 'c')
    end
    shift(s.id, r, 'C')
    if s.follow_ups then
      admit(s.follow_ups, math.huge, math.huge)
      for _, entry in ipairs(s.abroad) do
        call('HSET', k_outbox, entry.id, entry.text)
      end
    end
  end,
  -- Failed: to be tried again after the delay, if there is one.
  F = function(s, r)
    r.failures = r.failures + 1
    leave(s.id, r, s.outcome)
    if not s.delay then
      if r.state == 'k' then
        strike(worker, s.id)
      end
      shift(s.id, r, 'F')
    else
      if r.state ~= 'k' then
        r.run_at = now + s.delay
      end
      if give_back(s.id, r, 's') == 's' then
        bump('retried', 1)
      end
    end
  end,
  -- Cancelled, in its attempt or before it had begun.
  X = function(s, r)
    if s.outcome == '' then
      uncount(r)
    else
      leave(s.id, r, s.outcome)
    end
    if r.state == 'k' then
      strike(worker, s.id)
    end
    shift(s.id, r, 'X')
  end,
  -- Released: as if it had never been leased.
  R = function(s, r)
    uncount(r)
    if s.delay and r.state ~= 'k' then
      r.run_at = now + s.delay
    end
    if give_back(s.id, r, s.delay and 's' or 'q') ~= 'X' then
      bump('released', 1)
    end
  end,
}

local verdicts = {}
for i, s in ipairs(settlements) do
  local r = held(worker, s.id, s.attempt)
  verdicts[i] = r and '1' or '0'
  if r then
    settle[s.kind](s, r)
  end
end
flush()
tell_ended()

if not call('ZSCORE', k_leases, worker) then
  call('HSET', k_boxes, worker, box)
end
call('ZADD', k_leases, now + lease, worker)
local resync = holds >= 0 and call('SCARD', k_held) ~= holds

trim(items_max)

local due = call('ZRANGEBYSCORE', k_scheduled, '-inf', '(' .. now + 1, 'LIMIT', 0, promote_max)
fetch(due)
for _, id in ipairs(due) do
  local r = records[id]
  if r then
    displace(id, r)
    r.state, r.turn = 'q', next_turn()
    place(id, r)
    keep(id, r)
  else
    remove(k_scheduled, id)
    remove(k_later, id)
  end
end
flush()

-- Chooses whose turn it is: the most urgent class's first, but one pick in `share` goes to another
-- class. These take turns among themselves, so that none starves.
local left = {}
for class = 0, 3 do
  left[class] = call('ZCARD', READY[class + 1])
end

local function choose()
  local urgent, other
  for class = 3, 0, -1 do
    if left[class] > 0 then
      urgent, other = class, urgent
    end
  end
  if not other then
    return urgent
  end
  if share > 0 and number('picks') + 1 >= share then
    for step = 1, 4 do
      local class = (number('preferred') + step) % 4
      if class ~= urgent and left[class] > 0 then
        return class, true
      end
    end
  end
  return urgent, false
end

-- The jobs to be leased: from the head of each class, as many as fit.
local picked, heads, next_in = {}, {}, { [0] = 1, 1, 1, 1 }
local ready = left[0] + left[1] + left[2] + left[3]
if number('paused') ~= 1 then
  want = math.min(want, batch_max, ready)
  local bytes = 0
  -- Weights are looked at only where they could add up to too much.
  local weigh = number('bytes') > want_bytes
  while #picked < want do
    local class, is_lower = choose()
    heads[class] = heads[class] or call('ZRANGE', READY[class + 1], 0, want - 1, 'WITHSCORES')
    local at = next_in[class]
    local id, turn = heads[class][at], tonumber(heads[class][at + 1])
    if weigh then
      local envelope = call('HGET', k_jobs, id)
      bytes = bytes + (envelope and untouched(envelope).weight or 0)
      if bytes > want_bytes and #picked > 0 then
        break
      end
    end
    if is_lower == true then
      set('picks', 0)
      set('preferred', class)
    elseif is_lower == false then
      bump('picks', 1)
    end
    next_in[class], left[class] = at + 2, left[class] - 1
    picked[#picked + 1] = { id = id, turn = turn }
  end
end

local leased, members = {}, {}

local function lease_to_worker(id, turn, envelope)
  local r = records[id] or untouched(envelope)
  bump('bytes', -r.weight)
  bump('running', 1)
  r.state, r.turn, r.worker = 'r', turn, worker
  r.attempt, r.started_before, r.started_at = r.attempt + 1, r.started_at, now
  keep(id, r)
  members[#members + 1] = id
  leased[#leased + 1] = id
  leased[#leased + 1] = encode(r)
  leased[#leased + 1] = envelope
  leased[#leased + 1] = has(r, HAS_NOTES) and call('HGET', k_notes, id .. 'c')
end

if #picked > 0 then
  for class = 0, 3 do
    if next_in[class] > 1 then
      call('ZREMRANGEBYRANK', READY[class + 1], 0, (next_in[class] - 1) / 2 - 1)
    end
  end
  local picked_ids = {}
  for i, pick in ipairs(picked) do
    picked_ids[i] = pick.id
  end
  fetch(picked_ids)
  local envelopes = call('HMGET', k_jobs, unpack(picked_ids))
  for i, pick in ipairs(picked) do
    -- A job without an envelope is lost; the others go on.
    if envelopes[i] then
      lease_to_worker(pick.id, pick.turn, envelopes[i])
    end
  end
  bulk('SADD', k_held, members)
end

write_records()
tell_gone()
local remain = ready - #picked
wake(math.min(fresh, remain))
save()

local cancels, ids_to_cancel = {}, cancelling(worker)
for at = 1, #ids_to_cancel, 16 do
  local id = ids_to_cancel:sub(at, at + 15)
  local r = records[id] or find(id)
  if r then
    cancels[#cancels + 1] = struct.pack('>c16I4', id, r.attempt)
  end
end
local lapsed = call('ZRANGEBYSCORE', k_leases, '-inf', now, 'LIMIT', 0, batch_max)
local is_more = number('paused') ~= 1 and remain > 0
return {
  'ok', table.concat(verdicts), table.concat(cancels), table.concat(lapsed), next_due() or -1,
  is_more and 1 or 0, resync and 1 or 0, call('HLEN', k_outbox), leased,
}
