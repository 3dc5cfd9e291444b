local is_new = redis.call('EXISTS', KEYS[1]) == 0
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' and sum.err then
  if string.find(sum.err, 'integer') or string.find(sum.err, 'overflow') then return false end
  return sum
end
-- Numbers of Lua can't hold all sums.
sum = redis.call('GET', KEYS[1])
if is_new and ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
elseif is_new and ARGV[2] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return sum
