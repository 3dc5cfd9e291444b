//! Functions of components in JavaScript and Python that know nothing of jobs, by their types.

use gristmill_job::{Disposition, Payload, media};
use serde_json::json;

use super::{failure, run, sandbox, value};

#[tokio::test]
async fn functions_in_javascript_are_called_by_their_types() {
    check("typed-js").await;
}

#[tokio::test]
async fn functions_in_python_are_called_by_their_types() {
    check("typed-python").await;
}

async fn check(guest: &str) {
    let sandbox = sandbox();
    let file = gristmill_tests::guest(guest);
    let plugin = sandbox.runtime.load_file(&file).await.expect("it loads");
    let functions = plugin.functions().expect("functions").iter();
    let names: Vec<&str> = functions.map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["scale", "parts"], "and no helper of the tool's");
    let scale = |input| run(&sandbox, &plugin, "scale", input);

    let wave = "{width: 3, height: 5}, 2.0";
    let wave = Payload { content_type: media::WAVE.to_owned(), data: wave.into() };
    assert_eq!(value(&scale(wave).await), json!({"width": 6, "height": 10}));

    let parts = json!({
        "sizes": [{"width": 9, "height": 1}, {"width": 1, "height": 1}],
        "within": {"width": 5, "height": 5},
    });
    let parts = run(&sandbox, &plugin, "sizes.parts", Payload::json(&parts)).await;
    assert_eq!(value(&parts), json!([{"cut": {"width": 5, "height": 5}}, "whole"]));

    let report = scale(Payload::json(&json!([{"width": 3, "height": 5}, 0]))).await;
    let (error, disposition) = failure(&report);
    assert_eq!((error.code.as_str(), disposition), ("empty", Disposition::Retry));
    assert_eq!(error.detail, Some(Payload::json(&json!("empty"))));

    let report = scale(Payload::json(&json!({"size": {"width": -1}, "factor": "two"}))).await;
    let (error, disposition) = failure(&report);
    assert_eq!((error.code.as_str(), disposition), ("invalid-input", Disposition::Fatal));
    assert_eq!(
        error.message,
        "input.size.width: -1 is out of range for u32 (0 to 4294967295); \
         input.size.height: is missing: expected u32; input.factor: expected f64, got \"two\""
    );
}
