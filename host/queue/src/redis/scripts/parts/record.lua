-- What is done with a record that was taken apart.
local function has(r, flag)
  return bit.band(r.flags, flag) ~= 0
end

local function mark(r, flag)
  r.flags = bit.bor(r.flags, flag)
end

local function decode(bytes)
  local state, attempt, worker, completed_at, expires_at, failures, crashes, started_at,
    started_before, flags, class, enqueued_at, run_at, turn, ttl, weight =
    struct.unpack(RECORD, bytes)
  -- A table that is made whole costs half of one that grows.
  return {
    state = state, attempt = attempt, worker = worker, completed_at = completed_at,
    expires_at = expires_at, failures = failures, crashes = crashes, started_at = started_at,
    started_before = started_before, flags = flags, class = class, enqueued_at = enqueued_at,
    run_at = run_at, turn = tonumber(turn), ttl = ttl, weight = weight,
  }
end

local function encode(r)
  return struct.pack(RECORD, r.state, r.attempt, r.worker, r.completed_at, r.expires_at, r.failures,
    r.crashes, r.started_at, r.started_before, r.flags, r.class, r.enqueued_at, r.run_at,
    TURN:format(r.turn), r.ttl, r.weight)
end

-- The record of a job that was never touched.
local function untouched(envelope)
  local flags, class, enqueued_at, run_at, turn, ttl, weight = struct.unpack(HEADER, envelope)
  return {
    state = 'q', attempt = 0, worker = NOBODY, completed_at = 0, expires_at = 0, failures = 0,
    crashes = 0, started_at = 0, started_before = 0, flags = flags, class = class,
    enqueued_at = enqueued_at, run_at = run_at, turn = tonumber(turn), ttl = ttl, weight = weight,
  }
end

local function is_final(r)
  return r.state == 'C' or r.state == 'F' or r.state == 'X'
end

local function is_running(r)
  return r.state == 'r' or r.state == 'k'
end

-- Whether the job has ended and its time to be kept is over.
local function is_expired(r)
  return is_final(r) and r.expires_at <= now
end

-- The record and the envelope of a job that is known; the envelope only if it is needed.
local function find(id)
  local bytes = call('HGET', k_states, id)
  if bytes then
    return decode(bytes)
  end
  local envelope = call('HGET', k_jobs, id)
  if envelope then
    return untouched(envelope), envelope
  end
end
