-- keys: meta
-- The numbers of which each move of a job changes one: while they are the same nothing has moved.
local numbers = {}
for i, name in ipairs({
  'turn', 'bytes', 'running', 'enqueued', 'completed', 'failed', 'cancelled', 'retried', 'released',
  'reaped',
}) do
  numbers[i] = number(name)
end
local stamp = table.concat(numbers, ' ')
local seen = take()
if seen == '' then
  return stamp
end
local counted = { bytes = take_number(), running = take_number(), turn = take_number() }
local mends = take_number() == 1
if seen ~= stamp then
  return false
end
local wrong = {}
for _, name in ipairs({ 'bytes', 'running', 'turn' }) do
  -- Turns may be ahead of what is left of the jobs.
  local is_wrong = number(name) ~= counted[name]
  if name == 'turn' then
    is_wrong = number(name) < counted[name]
  end
  if is_wrong then
    wrong[#wrong + 1] = name
    wrong[#wrong + 1] = number(name)
    wrong[#wrong + 1] = counted[name]
    set(name, counted[name])
  end
end
if #wrong > 0 and mends then
  even_if_full()
  save()
end
return wrong
