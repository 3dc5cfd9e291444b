//! Components that nobody here wrote, run unchanged: `wasm-tools` as `@bytecodealliance/jco` 1.0.0 ships it,
//! and the program of `pulldown-cmark` 0.13.0, compiled as it is.

use gristmill_job::{Headers, NewJob, Outcome, OutcomeKind, Payload};
use gristmill_runtime::{ARGS_HEADER, Plugin, Report};
use gristmill_tests::{Sandbox, a_job, foreign};
use serde_json::{Value, json};

async fn load(sandbox: &Sandbox, name: &str) -> Plugin {
    sandbox.runtime.load_file(&foreign(name)).await.expect("it loads")
}

async fn run(sandbox: &Sandbox, plugin: &Plugin, job: NewJob) -> Report {
    sandbox.attempt(plugin, job, 1, None).await
}

#[track_caller]
fn result(report: Report) -> Payload {
    let Outcome::Completed { result: Some(result) } = report.outcome else {
        panic!("no result: {:?}", report.outcome)
    };
    result
}

#[tokio::test]
async fn a_component_that_a_package_ships_is_called_by_its_own_types() {
    let sandbox = Sandbox::new();
    let plugin = load(&sandbox, "wasm-tools").await;
    let job = |function: &str, input| a_job("wasm-tools", function, input);
    let text = Payload::text("(module $m (func (export \"f\")))");
    let module = result(run(&sandbox, &plugin, job("parse", text)).await);
    assert!(module.data.starts_with(b"\0asm"));

    let printed = result(run(&sandbox, &plugin, job("tools.print", module.clone())).await);
    let printed: Value = serde_json::from_slice(&printed.data).expect("JSON");
    assert!(printed.as_str().expect("a string").contains("(export \"f\" (func"), "{printed}");

    let added = json!({
        "binary": Payload::bytes(module.data.clone()).data.to_vec(),
        "metadata": [["processed-by", [["gristmill", "1"]]]],
    });
    let added = job("local:wasm-tools/tools#metadata-add", Payload::json(&added));
    let added = result(run(&sandbox, &plugin, added).await);
    let shown = result(run(&sandbox, &plugin, job("metadata-show", added)).await);
    let shown: Value = serde_json::from_slice(&shown.data).expect("JSON");
    assert_eq!(shown[0]["name"], "m");
    assert_eq!(shown[0]["meta-type"], "module");
    assert_eq!(shown[0]["producers"], json!([["processed-by", [["gristmill", "1"]]]]));

    let broken = run(&sandbox, &plugin, job("parse", Payload::text("(module (func"))).await;
    assert_eq!(broken.outcome.kind(), OutcomeKind::Failed);
    let unfit = job("metadata-add", Payload::json(&json!({"binary": 1, "metadata": [["a"]]})));
    let refused = plugin.check(&unfit).expect_err("it doesn't fit").message;
    assert!(refused.contains("input.binary: expected list<u8>"), "{refused}");
    assert!(refused.contains("input.metadata[0]: expected tuple"), "{refused}");
}

#[tokio::test]
async fn a_program_of_somebody_else_turns_markdown_into_html() {
    let sandbox = Sandbox::new();
    let plugin = load(&sandbox, "pulldown-cmark").await;
    let mut job = a_job("pulldown-cmark", "", Payload::text("# Hi\n\n| a |\n|---|\n| *b* |\n"));
    let html = result(run(&sandbox, &plugin, job.clone()).await);
    assert!(html.data.starts_with(b"<h1>Hi</h1>"), "{html:?}");
    let tables = [(ARGS_HEADER.to_owned(), json!(["--enable-tables"]).to_string())];
    job.headers = Headers::new(tables).expect("headers");
    let html = result(run(&sandbox, &plugin, job).await);
    let html = std::str::from_utf8(&html.data).expect("text");
    assert!(html.contains("<td><em>b</em></td>"), "{html}");
}
