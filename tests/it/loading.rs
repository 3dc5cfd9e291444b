//! What can be loaded, and what can't and what is said of it.

use std::path::Path;

use bytes::Bytes;
use gristmill_job::{Outcome, Payload, PluginName};
use gristmill_runtime::{Config, Limits, LoadError};
use gristmill_tests::{Sandbox, a_job};

async fn load(sandbox: &Sandbox, bytes: impl Into<Bytes>) -> LoadError {
    let name = PluginName::new("guest").expect("a name");
    match sandbox.runtime.load(name, bytes.into()).await {
        Ok(plugin) => panic!("{plugin:?} was loaded"),
        Err(error) => error,
    }
}

#[track_caller]
fn check_says(error: &LoadError, expected: &str) {
    let text = error.to_string();
    assert!(text.contains(expected), "{text:?} should contain {expected:?}");
    assert!(!text.contains('\n'), "{text:?} should be one line");
}

#[tokio::test]
async fn what_is_no_component_is_told_apart() {
    let sandbox = Sandbox::new();
    let check = async |bytes: &'static [u8], expected| {
        check_says(&load(&sandbox, bytes).await, expected);
    };
    check(b"", "an empty file").await;
    check(b"hello\n", "a text file").await;
    check(b"\0asm\x01\0\0\0", "a core module").await;
    check(b"(module)", "a core module in text form").await;
    check(b"\x7fELF\xff", "a native program").await;
    check(b"\xff\xfe", "a file of another kind").await;
    check(b"(component (import", "invalid").await;
}

#[tokio::test]
async fn a_truncated_component_is_invalid_wherever_it_is_cut() {
    let sandbox = Sandbox::new();
    let whole = std::fs::read(gristmill_tests::guest("trap")).expect("the guest");
    for part in 1..8 {
        let cut = whole[..whole.len() * part / 8].to_vec();
        check_says(&load(&sandbox, cut).await, "the component is invalid");
    }
}

#[tokio::test]
async fn a_component_without_any_function_says_what_it_exports() {
    let sandbox = Sandbox::new();
    check_says(&load(&sandbox, "(component)").await, "it exports nothing");
}

#[tokio::test]
async fn a_missing_import_is_named() {
    let sandbox = Sandbox::new();
    let component = r#"(component (import "acme:mail/send@1.0.0" (instance)))"#;
    check_says(&load(&sandbox, component).await, "imports \"acme:mail/send@1.0.0\"");
}

#[tokio::test]
async fn drafts_of_keyvalue_that_nobody_speaks_are_missing_imports() {
    let sandbox = Sandbox::new();
    for import in ["wasi:keyvalue/store@0.2.0-draft3", "wasi:keyvalue/watcher@0.2.0-draft2"] {
        let component = format!(r#"(component (import "{import}" (instance)))"#);
        let error = load(&sandbox, component).await;
        check_says(&error, &format!("imports {import:?}"));
        check_says(&error, "wasi:keyvalue 0.2.0-draft and 0.2.0-draft2");
    }
}

#[tokio::test]
async fn a_component_larger_than_any_may_be_is_not_compiled() {
    let sandbox = Sandbox::new();
    let large = vec![0; Config::default().component_bytes_max + 1];
    assert!(matches!(load(&sandbox, large).await, LoadError::TooLarge { .. }));
}

#[tokio::test]
async fn a_component_that_could_never_start_is_refused() {
    let limits = Limits { memory_bytes_max: 64 << 10, ..Limits::default() };
    let sandbox = Sandbox::with_limits(limits);
    let guest = std::fs::read(gristmill_tests::guest("trap")).expect("the guest");
    check_says(&load(&sandbox, guest).await, "of memory, but is allowed 65536");
}

#[tokio::test]
async fn a_plugin_says_what_functions_it_has() {
    let plugin = Sandbox::new().guest("fail").await;
    let functions = plugin.functions().expect("a description");
    let names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["retry", "retry_after", "fatal"]);
    assert!(functions[0].summary.as_deref().is_some_and(|text| text.contains("retried")));
}

#[tokio::test]
async fn a_component_of_the_first_version_of_the_contract_keeps_working() {
    let sandbox = Sandbox::new();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("old/echo-0.1.0.wasm");
    let component = std::fs::read(old).expect("it is kept");
    let name = "echo".parse().expect("a name");
    let plugin = sandbox.runtime.load(name, component.into()).await.expect("it loads");
    let imports: Vec<&str> = plugin.imports().iter().map(|import| import.name.as_str()).collect();
    assert!(imports.contains(&"gristmill:job/types@0.1.0"), "{imports:?}");
    let job = a_job("echo", "", Payload::text("as ever"));
    let report = sandbox.attempt(&plugin, job, 1, None).await;
    let Outcome::Completed { result } = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!(result, Some(Payload::text("as ever")));
}
