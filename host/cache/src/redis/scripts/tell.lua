-- Ends a reservation and tells the processes that wait for it.
local function give_up(flight, waiting, place, bells)
  redis.call('DEL', flight)
  for _, bell in ipairs(redis.call('SMEMBERS', waiting)) do
    redis.call('PUBLISH', bells .. bell, place)
  end
  redis.call('DEL', waiting)
end
