//! `wasi:keyvalue@0.2.0-draft`: its cursors are numbers, and so are counters, without a sign.

super::common::implement_for!(draft);

type Cursor = u64;

fn position(state: &State, cursor: Cursor) -> Result<String, Refusal> {
    let unknown = || Refusal::Other(format!("invalid: {cursor} is no cursor of this attempt"));
    state.cursors.find(cursor).map(str::to_owned).ok_or_else(unknown)
}

fn pointing_at(state: &mut State, position: String) -> Cursor {
    state.cursors.keep(position)
}

impl atomics::Host for State {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: u64,
    ) -> Answer<u64> {
        let Ok(delta) = i64::try_from(delta) else {
            self.count_host_call()?;
            return Ok(Err(Error::Other(format!("invalid: {delta} is more than {}", i64::MAX))));
        };
        Ok(match self.add(&bucket, key, delta).await? {
            Ok(sum) => u64::try_from(sum)
                .map_err(|_| Error::Other(format!("invalid: the sum is {sum}, which is below 0"))),
            Err(refusal) => Err(refusal.into()),
        })
    }
}
