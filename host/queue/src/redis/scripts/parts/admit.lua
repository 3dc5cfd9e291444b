-- How new jobs come in.

-- What a producer gives of a job comes in two pieces. The head is its id and class, four more if somebody
-- waits for its end, and, unless that is all, when it starts and its unique key. The body is the rest of the envelope: how long its result
-- is kept, its weight, and what only workers read.
local PLAIN_HEAD_BYTES, ENVELOPE_START, WEIGHT_IN_BODY, AWAITED = 17, '>BBI8I8', 9, 4

local function take_items(count)
  local items = { ids = {}, heads = {}, bodies = {}, count = count }
  for i = 1, count do
    local head = take()
    items.ids[i], items.heads[i], items.bodies[i] = head:sub(1, 16), head, take()
  end
  return items
end

-- When a job may start, and the field of its unique key, if it has one.
local function particulars(head)
  local start, at = struct.unpack('>BI8', head, PLAIN_HEAD_BYTES + 1)
  local run_at = now
  if start == 1 then
    run_at = now + at
  elseif start == 2 then
    run_at = math.max(at, now)
  end
  local field = head:sub(PLAIN_HEAD_BYTES + 10)
  return run_at, field ~= '' and field
end

-- Takes new jobs over. Answers a letter each: `c` created, `d` duplicate, `u` its unique key is
-- another's, `f` for a full queue, `s` where a job of this id is still to be forgotten; the owners
-- of such keys; and whether a job is due sooner than any was. The end of a job that somebody waits for is
-- told to the box; one that comes alone may be assigned to a worker by `assign`.
local function admit(items, waiting_max, bytes_max, box, assign)
  local ids, heads, bodies = items.ids, items.heads, items.bodies
  local verdicts, owners, envelopes, states = {}, {}, {}, {}
  local ready, later, scheduled, soonest = {}, {}, {}, math.huge
  local is_new = {}
  local known = #ids > 0 and call('HMGET', k_jobs, unpack(ids)) or {}
  local bytes, heaviest, turn, starts = number('bytes'), number('heaviest'), number('turn'), {}
  for class = 0, 3 do
    ready[class] = {}
    starts[class] = struct.pack(ENVELOPE_START, 0, class, now, now)
  end
  -- No more wait than there are, which is cheaper to know.
  local waiting = call('HLEN', k_jobs)
  if waiting + items.count > waiting_max then
    waiting = call('ZCARD', k_scheduled) + ready_count()
  end
  local created, written = 0, 0
  for i = 1, items.count do
    local id, head, body = ids[i], heads[i], bodies[i]
    local run_at, field = now, nil
    if #head > PLAIN_HEAD_BYTES then
      run_at, field = particulars(head)
    end
    local owner = field and call('HGET', k_unique, field)
    local weight = struct.unpack('>I4', body, WEIGHT_IN_BODY)
    if is_new[id] then
      verdicts[i] = 'd'
    elseif known[i] then
      local record = call('HGET', k_states, id)
      verdicts[i] = record and is_over(record) and 's' or 'd'
    elseif owner then
      verdicts[i] = 'u'
      owners[#owners + 1] = owner
    elseif waiting >= waiting_max or bytes + weight > bytes_max then
      verdicts[i] = 'f'
    else
      verdicts[i] = 'c'
      is_new[id] = true
      created, waiting, bytes, turn = created + 1, waiting + 1, bytes + weight, turn + 1
      if weight > heaviest then
        heaviest = weight
      end
      local class, position = head:byte(PLAIN_HEAD_BYTES), TURN:format(turn)
      if class >= AWAITED then
        class = class - AWAITED
        call('HSET', k_waiters, id, box)
      end
      local start = starts[class]
      if field then
        call('HSET', k_unique, field, id)
        call('HSET', k_uniques, id, field)
      end
      if field or run_at > now then
        start = struct.pack(ENVELOPE_START, field and HAS_UNIQUE or 0, class, now, run_at)
      end
      local envelope = start .. position .. body
      envelopes[written + 1], envelopes[written + 2] = id, envelope
      written = written + 2
      if run_at > now then
        states[#states + 1] = id
        states[#states + 1] = unstarted('s', envelope)
        later[#later + 1] = position
        later[#later + 1] = id
        scheduled[#scheduled + 1] = after(run_at, turn)
        scheduled[#scheduled + 1] = id
        soonest = math.min(soonest, run_at)
      else
        local line = ready[class]
        local at = #line
        line[at + 1], line[at + 2] = position, id
        fresh = fresh + 1
      end
    end
  end
  local due = soonest < math.huge and next_due() or math.huge
  -- The first write has to be one that asks for memory: see `even_if_full`.
  bulk('HSET', k_jobs, envelopes)
  if assign and created == 1 and fresh == 1 and assign(envelopes[1], envelopes[2]) then
    for class = 0, 3 do
      ready[class] = {}
    end
    bytes = bytes - struct.unpack('>I4', envelopes[2], WEIGHT_IN_HEADER)
  end
  if created > 0 then
    set('bytes', bytes)
    if heaviest > number('heaviest') then
      set('heaviest', heaviest)
    end
    set('turn', turn)
    bump('enqueued', created)
  end
  bulk('HSET', k_states, states)
  bulk('ZADD', k_later, later)
  bulk('ZADD', k_scheduled, scheduled)
  for class = 0, 3 do
    bulk('ZADD', READY[class + 1], ready[class])
  end
  return table.concat(verdicts), owners, soonest - now < due
end
