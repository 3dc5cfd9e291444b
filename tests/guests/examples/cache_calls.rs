//! Makes the calls of a plan in one bucket of the cache, and tells what each answered.

use std::time::Duration;

use gristmill_guest::{Cache, Lookup, SetOptions, prelude::*};
use gristmill_test_guests::{Answer, Plan, json};
use serde_json::Value;

/// Makes calls of the cache, and goes on after each that is refused.
#[job]
fn cache_calls(ctx: &Ctx, input: Plan) -> JobResult<Vec<Answer>> {
    let cache = ctx.bucket(&input.bucket);
    Ok(input.make(|operation, key, value| call(&cache, operation, key, value)))
}

fn call(cache: &Cache<'_>, operation: &str, key: &str, value: &str) -> Result<Value, HostError> {
    let keys: Vec<&str> = key.split(' ').collect();
    Ok(match operation {
        "get" => json(cache.get::<String>(key)?),
        "entry" => json(cache.entry::<String>(key)?.map(|entry| entry.value)),
        "exists" => json(cache.exists(key)?),
        "get-many" => json(cache.get_many::<String>(&keys)?),
        "scan" => json(cache.scan(key).collect::<Result<Vec<_>, _>>()?),
        "set" => json(cache.set(key, value)?),
        "set-if-absent" => json(cache.set_with(key, value, SetOptions::forever().if_absent())?),
        "compare-and-set" => json(cache.compare_and_set(key, None, value, None)?),
        "delete" => json(cache.delete(key)?),
        "touch" => json(cache.touch(key, Some(Duration::from_secs(60)))?),
        "increment" => json(cache.increment(key, 1)?),
        "set-many" => json(cache.set_many(&[(key, value.to_owned())], None)?),
        "delete-many" => json(cache.delete_many(&keys)?),
        "clear" => json(cache.clear(key)?),
        "reserve" => match cache.get_or_reserve(key, Duration::ZERO)? {
            Lookup::Hit(value) => json(String::from_utf8_lossy(&value)),
            Lookup::Reserved(reservation) => json(reservation.fill(value, None)?),
            Lookup::Busy => json("busy"),
        },
        _ => return Err(HostError::Invalid(format!("no operation {operation:?}"))),
    })
}

gristmill_guest::export!(cache_calls);
