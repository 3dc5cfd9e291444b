-- What was assigned to a worker is among what it holds as soon as anybody looks. Answers which job it is.
local function take_in(worker)
  local id = call('HGET', k_assigned, worker)
  if id then
    call('SADD', k_held, id)
    call('HDEL', k_assigned, worker)
  end
  return id
end

-- Takes a worker off the hungry ones, under whatever tickets it is among them.
local function stop_calling(worker)
  for _, member in ipairs(call('ZRANGE', k_hungry, 0, -1)) do
    if member:sub(1, BOX_AT - 1) == worker then
      call('ZREM', k_hungry, member)
    end
  end
end

-- Whether a worker may go on under its id, and its lease if it has one. One that claims to hold something
-- had a lease here: where there is none, it was reaped.
local function admit_worker(worker, claims)
  local lease = call('ZSCORE', k_leases, worker)
  local is_reaped = lease == REAPED or not lease and (claims or call('ZSCORE', k_reaped, worker))
  return not is_reaped, lease
end
