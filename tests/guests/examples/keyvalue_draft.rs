//! Makes the calls of a plan by `wasi:keyvalue@0.2.0-draft`, without the SDK.

#![expect(missing_docs, reason = "the bindings are generated")]

wit_bindgen::generate!({
    path: ["../../host/runtime/wit/keyvalue-draft.wit", "../../wit"],
    inline: "
        package test:keyvalue;
        world guest {
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            import wasi:keyvalue/batch@0.2.0-draft;
            export gristmill:job/handler@0.1.0;
        }
    ",
    world: "test:keyvalue/guest",
    generate_all,
});

gristmill_test_guests::keyvalue_guest!(list_from, |cursor: &Option<u64>| *cursor);

/// `list-from` lists keys from a cursor that the plan says.
fn list_from(bucket: &Bucket, operation: &str, cursor: &str, _: &str) -> Result<Value, Error> {
    assert_eq!(operation, "list-from");
    Ok(json(bucket.list_keys(Some(cursor.parse().expect("a number")))?.keys))
}
