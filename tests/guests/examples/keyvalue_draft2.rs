//! Makes the calls of a plan by `wasi:keyvalue@0.2.0-draft2`, without the SDK.

#![expect(missing_docs, reason = "the bindings are generated")]

wit_bindgen::generate!({
    path: ["../../host/runtime/wit/keyvalue-draft2.wit", "../../wit"],
    inline: "
        package test:keyvalue;
        world guest {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
            export gristmill:job/handler@0.1.0;
        }
    ",
    world: "test:keyvalue/guest",
    generate_all,
});

gristmill_test_guests::keyvalue_guest!(swap, Option::as_deref);

/// `swap` stores a value over the one that is there; `swap-late` does so after the entry has become
/// `meanwhile`, and once more with the handle that it gets.
fn swap(bucket: &Bucket, operation: &str, key: &str, value: &str) -> Result<Value, Error> {
    let cas = atomics::Cas::new(bucket, key)?;
    let before = cas.current()?.map(text);
    match operation {
        "swap" => {}
        "swap-late" => bucket.set(key, b"meanwhile")?,
        _ => panic!("no operation {operation:?}"),
    }
    match atomics::swap(cas, value.as_bytes()) {
        Ok(()) => Ok(json((before, "swapped"))),
        Err(atomics::CasError::StoreError(error)) => Err(error),
        Err(atomics::CasError::CasFailed(again)) => {
            let now = again.current()?.map(text);
            let swapped = atomics::swap(again, value.as_bytes()).is_ok();
            Ok(json((before, "failed", now, swapped)))
        }
    }
}
