-- The usual life of a job: leased for the first time, completed with nothing else to it, and forgotten.
-- Most jobs have no other, so what it costs is what a queue costs: records are cut and joined here, and
-- a batch is a handful of commands.
local sub, byte, concat = string.sub, string.byte, table.concat

-- A settlement's head is its kind, the job's id and the attempt; then, unless that is all, the delay of
-- another attempt or -1, and how many jobs follow here and in other queues.
local PLAIN_SETTLEMENT = 21
local ONLY_OUTCOME = string.char(HAS_OUTCOME)

-- What the record of a job that completed now begins with after the attempt, and by which score it is
-- kept, if its result is kept so long.
local function ending(ttl)
  local expires_at = now + struct.unpack('>I8', ttl)
  return {
    NOBODY .. struct.pack('>I8I8', now, expires_at),
    string.format('%.0f', expires_at),
  }
end

-- Completes what of these settlements is usual. Answers how many it completed, and the places of the
-- others among them.
local function complete(worker, heads, ids, outcomes)
  local fences, endings, others = {}, {}, {}
  local written, by_turn, by_expiry, left, done, at = {}, {}, {}, {}, {}, 0
  for i, head in ipairs(heads) do
    local id, bytes, attempt = ids[i], packed[ids[i]], sub(head, 18, 21)
    local fence = fences[attempt]
    if not fence then
      fence = 'r' .. attempt .. worker
      fences[attempt] = fence
    end
    local flags = bytes and byte(bytes, FLAGS_AT)
    if #head == PLAIN_SETTLEMENT and byte(head) == COMPLETED and bytes and not records[id]
      and (flags == 0 or flags == HAS_OUTCOME) and sub(bytes, 1, FENCE_BYTES) == fence then
      local ttl = sub(bytes, TTL_AT, TTL_AT + 7)
      local ends = endings[ttl]
      if not ends then
        ends = ending(ttl)
        endings[ttl] = ends
      end
      bytes = 'C' .. attempt .. ends[1] .. sub(bytes, FAILURES_AT, FLAGS_AT - 1) .. ONLY_OUTCOME
        .. sub(bytes, FLAGS_AT + 1)
      packed[id] = bytes
      written[at + 1], written[at + 2] = id, bytes
      by_turn[at + 1], by_turn[at + 2] = sub(bytes, TURN_AT, TURN_AT + 15), id
      by_expiry[at + 1], by_expiry[at + 2] = ends[2], id
      left[at + 1], left[at + 2] = id, outcomes[i]
      at = at + 2
      done[at / 2] = id
    else
      others[#others + 1] = i
    end
  end
  if at > 0 then
    bump('running', -#done)
    bump('completed', #done)
    bulk('HSET', k_states, written)
    bulk('ZADD', k_completed, by_turn)
    bulk('ZADD', k_kept, by_expiry)
    bulk('HSET', k_outcomes, left)
    bulk('SREM', k_held, done)
    tell(done, function(id)
      return letter_of_end(id, packed[id])
    end)
  end
  return at / 2, others
end

-- Forgets the first jobs of an index by expiry, if all of them are usual and nobody waits for one;
-- answers whether that is so.
local function forget_completed(key, ids)
  if call('EXISTS', k_waiters) == 1 then
    return false
  end
  fetch(ids)
  for _, id in ipairs(ids) do
    local bytes = packed[id]
    if not bytes or byte(bytes) ~= COMPLETED or byte(bytes, FLAGS_AT) ~= HAS_OUTCOME
      or sub(bytes, CRASHES_AT, CRASHES_AT + 3) ~= NO_CRASHES then
      return false
    end
  end
  call('ZREMRANGEBYRANK', key, 0, #ids - 1)
  bulk('ZREM', k_completed, ids)
  for _, hash in ipairs({ k_jobs, k_states, k_outcomes }) do
    bulk('HDEL', hash, ids)
  end
  return true
end

-- Leases jobs to the worker that were never touched. Answers their ids and envelopes, and the places of
-- those that have a record; these are still to be leased, and others must have lost theirs.
local function lease_untouched(worker, picked)
  local ids, envelopes, written, others, weight, at = {}, {}, {}, {}, 0, 0
  local in_progress = started_by(worker)
  fetch(picked)
  local found = call('HMGET', k_jobs, unpack(picked))
  for i, id in ipairs(picked) do
    local envelope = found[i]
    -- A job whose envelope is lost or cut off is lost; the others go on.
    if envelope and #envelope >= HEADER_BYTES then
      local n = #ids + 1
      ids[n], envelopes[n] = id, envelope
      if packed[id] then
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
