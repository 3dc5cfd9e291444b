if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
give_up(KEYS[1], KEYS[2], ARGV[2], ARGV[3])
return 1
