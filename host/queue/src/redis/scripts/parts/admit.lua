-- How new jobs come in.

-- Takes an item of the arguments: id, facts, field of the unique key (or nothing), envelope.
local function take_item()
  local item = { id = take() }
  item.class, item.start, item.at, item.ttl, item.weight = struct.unpack('>BBI8I8I4', take())
  item.field, item.spec = take(), take()
  return item
end

-- Takes new jobs over and answers a verdict each: `c` created, `d` duplicate, `u` and the owner of
-- the unique key, `f` for a full queue, `s` where a job of this id is still to be forgotten.
local function admit(items, waiting_max, bytes_max)
  local verdicts, ids, envelopes, states = {}, {}, {}, {}
  local ready, later, scheduled = {}, {}, {}
  local is_new = {}
  for i, item in ipairs(items) do
    ids[i] = item.id
  end
  local known = #ids > 0 and call('HMGET', k_jobs, unpack(ids)) or {}
  local waiting = call('ZCARD', k_scheduled)
  for class = 0, 3 do
    ready[class] = {}
    waiting = waiting + call('ZCARD', READY[class + 1])
  end
  local created = 0
  for i, item in ipairs(items) do
    local id = item.id
    local owner = item.field ~= '' and call('HGET', k_unique, item.field)
    if is_new[id] then
      verdicts[i] = 'd'
    elseif known[i] then
      local bytes = call('HGET', k_states, id)
      verdicts[i] = bytes and is_expired(decode(bytes)) and 's' or 'd'
    elseif owner then
      verdicts[i] = 'u' .. owner
    elseif waiting >= waiting_max or number('bytes') + item.weight > bytes_max then
      verdicts[i] = 'f'
    else
      verdicts[i] = 'c'
      is_new[id] = true
      created, waiting = created + 1, waiting + 1
      bump('bytes', item.weight)
      local turn, run_at, flags = next_turn(), now, 0
      if item.start == 1 then
        run_at = now + item.at
      elseif item.start == 2 then
        run_at = math.max(item.at, now)
      end
      if item.field ~= '' then
        flags = HAS_UNIQUE
        call('HSET', k_unique, item.field, id)
        call('HSET', k_uniques, id, item.field)
      end
      local header =
        struct.pack(HEADER, now, run_at, turn, item.ttl, item.weight, item.class, flags)
      envelopes[#envelopes + 1] = id
      envelopes[#envelopes + 1] = header .. item.spec
      if run_at > now then
        local r = untouched(header)
        r.state = 's'
        states[#states + 1] = id
        states[#states + 1] = encode(r)
        later[#later + 1] = turn
        later[#later + 1] = id
        scheduled[#scheduled + 1] = after(run_at, turn)
        scheduled[#scheduled + 1] = id
      else
        local line = ready[item.class]
        line[#line + 1] = turn
        line[#line + 1] = id
        fresh = fresh + 1
      end
    end
  end
  bump('enqueued', created)
  bulk('HSET', k_jobs, envelopes)
  bulk('HSET', k_states, states)
  bulk('ZADD', k_later, later)
  bulk('ZADD', k_scheduled, scheduled)
  for class = 0, 3 do
    bulk('ZADD', READY[class + 1], ready[class])
  end
  return verdicts
end
