//! What the guests of both drafts of `wasi:keyvalue` have in common. Their bindings' types differ,
//! and their functions hardly do.

/// Makes a component that opens the store of a plan, makes its calls and tells what each answered.
/// `$more` makes the calls that only this draft has, `$lend` lends its cursor to a call.
#[macro_export]
macro_rules! keyvalue_guest {
    ($more:path, $lend:expr) => {
        use exports::gristmill::job::handler::{Failure, Guest, Payload};
        use gristmill_test_guests::{Answer, Plan, json};
        use serde_json::Value;
        use wasi::keyvalue::store::{Bucket, Error};
        use wasi::keyvalue::{atomics, batch, store};

        struct Component;

        impl Guest for Component {
            fn handle(_function: String, input: Payload) -> Result<Option<Payload>, Failure> {
                let plan: Plan = serde_json::from_slice(&input.data).expect("a plan");
                let answers: Vec<Answer> = match store::open(&plan.bucket) {
                    Ok(bucket) => plan.make(|operation, key, value| {
                        call(&bucket, operation, key, value).map_err(words)
                    }),
                    Err(error) => vec![Err(words(error))],
                };
                let data = json(answers).to_string().into_bytes();
                Ok(Some(Payload { content_type: "application/json".to_owned(), data }))
            }
        }

        export!(Component);

        fn words(error: Error) -> String {
            match error {
                Error::NoSuchStore => "no such store".to_owned(),
                Error::AccessDenied => "access denied".to_owned(),
                Error::Other(why) => why,
            }
        }

        fn text(value: Vec<u8>) -> String {
            String::from_utf8(value).expect("text")
        }

        fn call(bucket: &Bucket, operation: &str, key: &str, value: &str) -> Result<Value, Error> {
            let keys: Vec<String> = key.split(' ').map(str::to_owned).collect();
            let bytes = value.as_bytes();
            Ok(match operation {
                "get" => json(bucket.get(key)?.map(text)),
                "set" => json(bucket.set(key, bytes)?),
                "delete" => json(bucket.delete(key)?),
                "exists" => json(bucket.exists(key)?),
                "list" => json(list(bucket)?),
                "increment" => {
                    json(atomics::increment(bucket, key, value.parse().expect("it fits"))?)
                }
                "get-many" => {
                    let found = batch::get_many(bucket, &keys)?.into_iter();
                    json(
                        found
                            .map(|entry| entry.map(|(key, value)| (key, text(value))))
                            .collect::<Vec<_>>(),
                    )
                }
                "set-many" => {
                    let entries: Vec<_> =
                        keys.into_iter().map(|key| (key, bytes.to_owned())).collect();
                    json(batch::set_many(bucket, &entries)?)
                }
                "delete-many" => json(batch::delete_many(bucket, &keys)?),
                "hoard" => {
                    let mut hoard = Vec::new();
                    loop {
                        hoard.push(store::open(key)?);
                    }
                }
                _ => $more(bucket, operation, key, value)?,
            })
        }

        /// All keys, in order, with the number of pages.
        fn list(bucket: &Bucket) -> Result<(usize, Vec<String>), Error> {
            let (mut pages, mut keys, mut cursor) = (0, Vec::new(), None);
            loop {
                let page = bucket.list_keys($lend(&cursor))?;
                pages += 1;
                keys.extend(page.keys);
                cursor = page.cursor;
                if cursor.is_none() {
                    keys.sort_unstable();
                    return Ok((pages, keys));
                }
            }
        }
    };
}
