-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry
-- parts: layout view record ready kept moves
local items_max = take_number()
if call('EXISTS', k_meta) == 0 then
  return false
end
trim(items_max)
write_records()
tell_gone()
save()
local oldest
for _, key in ipairs(READY) do
  local id = call('ZRANGE', key, 0, 0)[1]
  local r = id and find(id)
  if r then
    oldest = math.min(oldest or r.run_at, r.run_at)
  end
end
local first = call('ZRANGE', k_scheduled, 0, 0, 'WITHSCORES')
if first[2] then
  local due = math.floor(tonumber(first[2]))
  oldest = math.min(oldest or due, due)
end
return {
  number('paused'), math.max(now - (oldest or now), 0), number('bytes'),
  call('ZCARD', k_scheduled), ready_count(), number('running'),
  call('ZCARD', k_completed), call('ZCARD', k_failed), call('ZCARD', k_cancelled),
  number('enqueued'), number('completed'), number('failed'), number('cancelled'),
  number('retried'), number('released'), number('reaped'),
}
