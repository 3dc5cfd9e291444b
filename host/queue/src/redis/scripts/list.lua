-- keys: meta ready:0 ready:1 ready:2 ready:3 later completed failed cancelled
local before, limit, states = take(), take_number(), take()
local SOURCES = {
  q = { k_ready_0, k_ready_1, k_ready_2, k_ready_3 }, s = { k_later },
  C = { k_completed }, F = { k_failed }, X = { k_cancelled },
}
-- The newest of each line, and of these the newest.
local found = {}
for state in states:gmatch('.') do
  for _, key in ipairs(SOURCES[state]) do
    local line = call('ZREVRANGEBYSCORE', key, '(' .. before, '-inf', 'WITHSCORES', 'LIMIT', 0, limit)
    for i = 1, #line, 2 do
      found[#found + 1] = { turn = tonumber(line[i + 1]), id = line[i] }
    end
  end
end
table.sort(found, function(a, b)
  return a.turn > b.turn
end)
local listed = {}
for i = 1, math.min(limit, #found) do
  listed[#listed + 1] = found[i].turn
  listed[#listed + 1] = found[i].id
end
return listed
