-- What a turn of a worker has to do now and then.

-- Adds lines to a job's log: a chunk for each note, and what is over the bound goes, oldest first.
local function log(id, text, count, log_max)
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

-- Takes so many notes, and keeps those of jobs that the worker holds.
local function take_notes(worker, count, log_max)
  local notes, ids = {}, {}
  for i = 1, count do
    local kind, id, attempt = struct.unpack('>c1c16I4', take())
    notes[i] = { kind = kind, id = id, attempt = attempt, text = take(), lines = take_number() }
    ids[i] = id
  end
  fetch(ids)
  for _, note in ipairs(notes) do
    local r = held(worker, note.id, note.attempt)
    if r then
      if not has(r, HAS_NOTES) then
        mark(r, HAS_NOTES)
        keep(note.id, r)
      end
      if note.kind == 'l' then
        log(note.id, note.text, note.lines, log_max)
      else
        call('HSET', k_notes, note.id .. note.kind, note.text)
      end
    end
  end
  write_records()
end

local settle = {
  -- Completed: jobs that it enqueues come in the same step, those for other queues by the outbox. By
  -- then it has given up its unique key, so that it can enqueue its successor.
  C = function(s, r)
    if r.state == 'k' then
      strike(r.worker, s.id)
    end
    leave(s.id, r, s.outcome)
    if has(r, HAS_NOTES) then
      call('HDEL', k_notes, s.id .. 'c')
    end
    shift(s.id, r, 'C')
    if s.follow_ups.count > 0 then
      admit(s.follow_ups, math.huge, math.huge)
    end
    for _, entry in ipairs(s.abroad) do
      call('HSET', k_outbox, entry.id, entry.text)
    end
  end,
  -- Failed: to be tried again after the delay, if there is one.
  F = function(s, r)
    r.failures = r.failures + 1
    leave(s.id, r, s.outcome)
    if not s.delay then
      if r.state == 'k' then
        strike(r.worker, s.id)
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
      strike(r.worker, s.id)
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

-- Settles one job as the head of its settlement says, and takes what comes with it; answers whether the
-- worker held it.
local function settle_one(worker, id, head, outcome)
  local s = { id = id, outcome = outcome, follow_ups = take_items(0), abroad = {} }
  if #head > PLAIN_SETTLEMENT then
    local delay, here, abroad = struct.unpack('>i8I4I4', head, PLAIN_SETTLEMENT + 1)
    s.delay = delay >= 0 and delay
    s.follow_ups = take_items(here)
    for n = 1, abroad do
      s.abroad[n] = { id = take(), text = take() }
    end
  end
  local r = held(worker, id, struct.unpack('>I4', head, PLAIN_SETTLEMENT - 3))
  if r then
    settle[head:sub(1, 1)](s, r)
  end
  return r
end

-- Makes scheduled jobs ready.
local function promote(due)
  fetch(due)
  for _, id in ipairs(due) do
    local r = record(id)
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
end

-- Chooses whose turn it is: the most urgent class's first, but one pick in `share` goes to another
-- class. These take turns among themselves, so that none starves.
local function choose(left, share)
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

-- Takes so many ready jobs out of their lines, but no more bytes unless it is one job.
local function pick(left, want, want_bytes, share)
  local picked, heads, taken_of, bytes = {}, {}, { [0] = 0, 0, 0, 0 }, 0
  -- Weights are looked at only where they could add up to too much.
  local weigh = could_exceed(want, want_bytes)
  while #picked < want do
    local class, is_lower = choose(left, share)
    heads[class] = heads[class] or call('ZRANGE', READY[class + 1], 0, want - 1)
    local id = heads[class][taken_of[class] + 1]
    if weigh then
      local envelope = call('HGET', k_jobs, id)
      if envelope and #envelope >= HEADER_BYTES then
        bytes = bytes + struct.unpack('>I4', envelope, WEIGHT_IN_HEADER)
      end
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
    taken_of[class], left[class] = taken_of[class] + 1, left[class] - 1
    picked[#picked + 1] = id
  end
  for class = 0, 3 do
    if taken_of[class] > 0 then
      call('ZREMRANGEBYRANK', READY[class + 1], 0, taken_of[class] - 1)
    end
  end
  return picked
end

-- Leases a job that has a record; answers the record and its checkpoint.
local function lease_again(worker, id)
  local r = record(id)
  bump('bytes', -r.weight)
  bump('running', 1)
  r.state, r.worker = 'r', worker
  r.attempt, r.started_before, r.started_at = r.attempt + 1, r.started_at, now
  keep(id, r)
  return encode(r), has(r, HAS_NOTES) and call('HGET', k_notes, id .. 'c')
end

-- The jobs of the worker that are to be cancelled, with their attempts.
local function to_cancel(ids)
  local cancels = {}
  for at = 1, #ids, 16 do
    local id = ids:sub(at, at + 15)
    local r = records[id] or find(id)
    if r then
      cancels[#cancels + 1] = struct.pack('>c16I4', id, r.attempt)
    end
  end
  return table.concat(cancels)
end

made = {
  take_notes = take_notes,
  settle_one = settle_one,
  finish_settling = function()
    flush()
    tell_ended()
    write_records()
  end,
  promote = promote,
  forget_first = forget_first,
  pick = pick,
  lease_again = lease_again,
  to_cancel = to_cancel,
  write_records = write_records,
  tell_gone = tell_gone,
}
