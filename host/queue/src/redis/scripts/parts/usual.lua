-- The usual life of a job: leased for the first time, completed with nothing else to it, and forgotten.
-- Most jobs have no other, so what it costs is what a queue costs: records are cut and joined here, and
-- a batch is a handful of commands.
local sub, byte, concat = string.sub, string.byte, table.concat

-- A settlement's head is its kind and the attempt; then, unless that is all, the delay of another attempt
-- or -1, and how many jobs follow here and in other queues.
local PLAIN_SETTLEMENT = 5
local ONLY_OUTCOME = string.char(HAS_OUTCOME)
-- How long a result is kept that isn't.
local NOT_KEPT = string.rep('\0', 8)

-- What the record of a job that completed now says of the times after its worker, and by which score it
-- is kept, if its result is kept so long.
local function ending(ttl)
  local expires_at = now + struct.unpack('>I8', ttl)
  return { struct.pack('>I8I8', now, expires_at), string.format('%.0f', expires_at) }
end

-- What is to be known of a record before its header: the head of the settlement that completes it, if
-- that is usual; what its record begins with then, around the times; and whether there is nothing yet of
-- the job but record and envelope.
local function completion(worker, fore)
  local flags = byte(fore, FLAGS_AT)
  local is_usual = (flags == 0 or flags == HAS_OUTCOME) and sub(fore, 1, 1) == 'r'
    and sub(fore, 6, FENCE_BYTES) == worker
  local attempt = sub(fore, 2, 5)
  return {
    head = is_usual and 'C' .. attempt,
    before = 'C' .. attempt .. NOBODY,
    after = sub(fore, FAILURES_AT, FLAGS_AT - 1) .. ONLY_OUTCOME,
    is_bare = flags == 0 and sub(fore, CRASHES_AT, CRASHES_AT + 3) == NO_CRASHES,
  }
end

-- Completes what of these settlements is usual. Answers how many it completed, and the places of the
-- others among them. Jobs that were leased together have the same to be known of, which is made once. One
-- whose result isn't kept is forgotten at once.
local function complete(worker, ids, heads, outcomes)
  local completions, endings, others = {}, {}, {}
  local written, by_turn, by_expiry, left, at = {}, {}, {}, {}, 0
  local done, dropped, ended = {}, {}, call('EXISTS', k_waiters) == 1 and {}
  local found = #ids > 0 and call('HMGET', k_states, unpack(ids)) or {}
  for i, id in ipairs(ids) do
    local bytes = found[i]
    local fore = bytes and sub(bytes, 1, FLAGS_AT)
    local known = fore and completions[fore]
    if fore and not known then
      known = completion(worker, fore)
      completions[fore] = known
    end
    if known and known.head == heads[i] and records[id] == nil then
      local ttl = sub(bytes, TTL_AT, TTL_AT + 7)
      local is_kept, text = ttl ~= NOT_KEPT or not known.is_bare, nil
      if is_kept or ended then
        endings[ttl] = endings[ttl] or ending(ttl)
        text = known.before .. endings[ttl][1] .. known.after .. sub(bytes, FLAGS_AT + 1)
      end
      if not is_kept then
        dropped[#dropped + 1] = id
      else
        written[at + 1], written[at + 2] = id, text
        by_turn[at + 1], by_turn[at + 2] = sub(bytes, TURN_AT, TURN_AT + 15), id
        by_expiry[at + 1], by_expiry[at + 2] = endings[ttl][2], id
        left[at + 1], left[at + 2] = id, outcomes[i]
        at = at + 2
      end
      done[#done + 1] = id
      if ended then
        ended[#done] = { text, outcomes[i] }
      end
      -- Whoever settles it once more doesn't hold it.
      records[id] = false
    else
      if records[id] == nil then
        packed[id] = packed[id] or bytes or nil
      end
      others[#others + 1] = i
    end
  end
  if #done > 0 then
    bump('running', -#done)
    bump('completed', #done)
    if ended then
      tell(done, function(id, i)
        return letter_of_end(id, unpack(ended[i]))
      end)
    end
    bulk('HDEL', k_states, dropped)
    bulk('HDEL', k_jobs, dropped)
    bulk('HSET', k_states, written)
    bulk('ZADD', k_completed, by_turn)
    bulk('ZADD', k_kept, by_expiry)
    bulk('HSET', k_outcomes, left)
    bulk('SREM', k_held, done)
  end
  return #done, others
end

-- Whether there is more of these jobs, which have ended, than records and outcomes.
local function have_more(ids)
  if call('EXISTS', k_notes, k_uniques, k_lapses) == 0 then
    return false
  end
  fetch(ids)
  for _, id in ipairs(ids) do
    local bytes = packed[id]
    if not bytes or byte(bytes, FLAGS_AT) ~= HAS_OUTCOME
      or sub(bytes, CRASHES_AT, CRASHES_AT + 3) ~= NO_CRASHES then
      return true
    end
  end
  return false
end

-- Forgets the first jobs of an index by expiry, if all of them are usual, which nobody waits for; answers
-- whether that is so.
local function forget_completed(key, ids)
  if key ~= k_kept or have_more(ids) or call('ZREM', k_completed, unpack(ids)) < #ids then
    return false
  end
  call('ZREMRANGEBYRANK', key, 0, #ids - 1)
  for _, hash in ipairs({ k_jobs, k_states, k_outcomes }) do
    call('HDEL', hash, unpack(ids))
  end
  return true
end

-- Leases jobs to the worker that were never touched. Answers their ids and envelopes, and the places of
-- those that have a record; these are still to be leased, and others must have lost theirs.
local function lease_untouched(worker, picked)
  local ids, envelopes, written, others, weight, at = {}, {}, {}, {}, 0, 0
  local in_progress = started_by(worker)
  local touched = call('HMGET', k_states, unpack(picked))
  local found = call('HMGET', k_jobs, unpack(picked))
  for i, id in ipairs(picked) do
    local envelope = found[i]
    -- A job whose envelope is lost or cut off is lost; the others go on.
    if envelope and #envelope >= HEADER_BYTES then
      local n = #ids + 1
      ids[n], envelopes[n] = id, envelope
      if touched[i] then
        packed[id] = packed[id] or touched[i]
        others[#others + 1] = n
      else
        written[at + 1], written[at + 2] = id, in_progress .. sub(envelope, 1, HEADER_BYTES)
        at = at + 2
        weight = weight + struct.unpack('>I4', envelope, WEIGHT_IN_HEADER)
      end
    end
  end
  if at > 0 then
    bump('bytes', -weight)
    bump('running', at / 2)
    bulk('HSET', k_states, written)
  end
  bulk('SADD', k_held, ids)
  return ids, envelopes, others
end
