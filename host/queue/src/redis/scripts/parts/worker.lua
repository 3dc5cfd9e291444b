-- What a worker holds under its lease.

-- The record of what the worker holds: the fence that every settlement and note has to pass.
local function held(worker, id, attempt)
  local r = record(id)
  if r and is_running(r) and r.worker == worker and r.attempt == attempt then
    return r
  end
end

-- Jobs that are to be cancelled are listed by their worker, one id behind the other.
local function cancelling(worker)
  return call('HGET', k_cancelling, worker) or ''
end

local function set_cancelling(worker, ids)
  if ids == '' then
    call('HDEL', k_cancelling, worker)
  else
    call('HSET', k_cancelling, worker, ids)
  end
end

-- Strikes a job off its worker's list.
local function strike(worker, id)
  local ids, rest = cancelling(worker), {}
  for at = 1, #ids, 16 do
    local other = ids:sub(at, at + 15)
    if other ~= id then
      rest[#rest + 1] = other
    end
  end
  set_cancelling(worker, table.concat(rest))
end

-- Where a job goes that comes back from its worker untouched, or is tried again.
local function give_back(id, r, state)
  if r.state == 'k' then
    strike(r.worker, id)
    state = 'X'
  end
  shift(id, r, state)
  return state
end
