-- A job's record is what of it changes: packed under its id among the states. A job that was never
-- touched since it was enqueued as ready has none; then the header of its envelope says it all.
--
-- States are letters: s scheduled, q queued, r running, k running and to be cancelled, C completed,
-- F failed, X cancelled.
local RECORD = '>c1I4I4I4I8BBI8I8I8I8I8I8I8I4c16'
-- When it was enqueued, when it may start, turn, how long a result is kept, weight, class, flags.
local HEADER = '>I8I8I8I8I4BB'
-- Where the flags are in a record, for who needs no more of it.
local FLAGS_AT = 23
local NOBODY = string.rep('\0', 16)

-- What there is of a job beside its record, as bits of its flags.
local HAS_UNIQUE, HAS_NOTES, HAS_OUTCOME = 1, 2, 4

local function has(r, flag)
  return bit.band(r.flags, flag) ~= 0
end

local function mark(r, flag)
  r.flags = bit.bor(r.flags, flag)
end

local function decode(bytes)
  local state, attempt, failures, crashes, turn, class, flags, enqueued_at, run_at, started_at,
    started_before, completed_at, expires_at, ttl, weight, worker = struct.unpack(RECORD, bytes)
  -- A table that is made whole costs half of one that grows.
  return {
    state = state, attempt = attempt, failures = failures, crashes = crashes, turn = turn,
    class = class, flags = flags, enqueued_at = enqueued_at, run_at = run_at,
    started_at = started_at, started_before = started_before, completed_at = completed_at,
    expires_at = expires_at, ttl = ttl, weight = weight, worker = worker,
  }
end

local function encode(r)
  return struct.pack(RECORD, r.state, r.attempt, r.failures, r.crashes, r.turn, r.class, r.flags,
    r.enqueued_at, r.run_at, r.started_at, r.started_before, r.completed_at, r.expires_at, r.ttl,
    r.weight, r.worker)
end

-- The record of a job that was never touched.
local function untouched(envelope)
  local enqueued_at, run_at, turn, ttl, weight, class, flags = struct.unpack(HEADER, envelope)
  return {
    state = 'q', attempt = 0, failures = 0, crashes = 0, turn = turn, class = class, flags = flags,
    enqueued_at = enqueued_at, run_at = run_at, started_at = 0, started_before = 0,
    completed_at = 0, expires_at = 0, ttl = ttl, weight = weight, worker = NOBODY,
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

-- All that is shown of a job: record, envelope, outcome, progress and checkpoint; false for what
-- there isn't.
local function view(id, r)
  local outcome, progress, checkpoint = false, false, false
  if has(r, HAS_OUTCOME) then
    outcome = call('HGET', k_outcomes, id)
  end
  if has(r, HAS_NOTES) then
    progress = call('HGET', k_notes, id .. 'p')
    checkpoint = call('HGET', k_notes, id .. 'c')
  end
  return { encode(r), call('HGET', k_jobs, id), outcome, progress, checkpoint }
end
