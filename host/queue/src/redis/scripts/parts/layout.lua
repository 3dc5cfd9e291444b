-- A job's record is what of it changes: packed under its id among the states. A job that was never
-- touched since it was enqueued as ready has none; then the header of its envelope says it all.
--
-- States are letters: s scheduled, q queued, r running, k running and to be cancelled, C completed,
-- F failed, X cancelled.
--
-- What a settlement is held against stands first, in one piece: state, attempt, worker. What the usual
-- moves leave alone stands last, as in the header: so they cut and join, and only others take apart.
-- State, attempt, worker, when it completed and until when it is kept, failures, crashes, when this
-- attempt and the one before it started.
local FORE = '>c1I4c16I8I8I4I4I8I8'
-- Flags, class, when it was enqueued, when it may start, turn, how long a result is kept, weight.
local HEADER = '>BBI8I8c16I8I4'
local RECORD = FORE .. HEADER:sub(2)
-- Where the parts of both begin, for who needs no more of them.
local FENCE_BYTES, EXPIRES_AT, FAILURES_AT, CRASHES_AT, FLAGS_AT = 21, 30, 38, 42, 62
local TURN_AT, TTL_AT = 80, 96
local HEADER_BYTES, WEIGHT_IN_HEADER = 46, 43
local NOBODY, NO_CRASHES = string.rep('\0', 16), string.rep('\0', 4)
-- The end of a lease that was taken from its worker.
local REAPED = '0'
local FINAL = 'CFX'

-- What stands for a part that there isn't, where parts stand behind their lengths.
local NOTHING = '\255\255\255\255'

-- A turn is written as digits, so that it is a score as it stands.
local TURN = '%016d'

-- What there is of a job beside its record, as bits of its flags.
local HAS_UNIQUE, HAS_NOTES, HAS_OUTCOME = 1, 2, 4

-- Records by id: as they are kept, and those of them that were taken apart.
local packed, records = {}, {}

-- Reads the records of these jobs, if they have any and aren't at hand.
local function fetch(ids)
  for first = 1, #ids, VALUES_MAX do
    local last = math.min(first + VALUES_MAX - 1, #ids)
    local found = call('HMGET', k_states, unpack(ids, first, last))
    for i = first, last do
      local bytes, id = found[i - first + 1], ids[i]
      if bytes and not packed[id] then
        packed[id] = bytes
      end
    end
  end
end

-- The record of a job that never ran, as its envelope has it.
local function unstarted(state, envelope)
  return struct.pack(FORE, state, 0, NOBODY, 0, 0, 0, 0, 0, 0) .. envelope:sub(1, HEADER_BYTES)
end

-- The record of a job that its worker is leased now for the first time, but for the header.
local function started_by(worker)
  return struct.pack(FORE, 'r', 1, worker, 0, 0, 0, 0, now, 0)
end

-- Whether a job of this record has ended, and whether its time to be kept is over, too.
local function has_ended(bytes)
  return FINAL:find(bytes:sub(1, 1), 1, true) ~= nil
end

local function is_over(bytes)
  return has_ended(bytes) and struct.unpack('>I8', bytes, EXPIRES_AT) <= now
end
