//! One clear line and the right exit code for everything that can't be run.

use crate::command::{root, run, run_with};

#[track_caller]
fn check_component(name: &str, content: &[u8], says: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap();
    run(&["run", path]).refused(3, says);
    run(&["plugin", "inspect", path]).refused(3, says);
}

#[test]
fn a_missing_file() {
    run(&["run", "no/such.wasm"]).refused(3, "no/such.wasm can't be read");
}

#[test]
fn a_missing_plugin() {
    run(&["run", "nope"]).refused(3, "no plugin \"nope\" in target/plugins");
}

#[test]
fn a_text_file() {
    check_component("notes.wasm", b"dear diary", "but a text file");
}

#[test]
fn a_truncated_component() {
    let whole = std::fs::read(root().join("target/plugins/echo.wasm")).unwrap();
    check_component("cut.wasm", &whole[..whole.len() / 2], "the component is invalid");
}

#[test]
fn a_core_module() {
    check_component("core.wat", b"(module)", "but a core module");
    check_component("core.wasm", b"\0asm\x01\0\0\0", "but a core module");
}

#[test]
fn a_component_without_any_function() {
    check_component("hollow.wat", b"(component)", "nothing in the component can be called");
}

#[test]
fn a_missing_import() {
    let text = br#"(component (import "acme:db/query@1.0.0" (instance (export "q" (func)))))"#;
    check_component("needy.wat", text, "imports \"acme:db/query@1.0.0\"");
}

#[test]
fn a_faulty_manifest() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("target/plugins/echo.wasm"), dir.path().join("echo.wasm")).unwrap();
    let manifest = dir.path().join("echo.toml");
    std::fs::write(&manifest, "[grants.cache]\nrates = \"all\"\n").unwrap();
    let says =
        "line 2, `grants.cache.rates`: expected \"read-only\" or \"read-write\", got \"all\"";
    let folder = dir.path().to_str().unwrap();
    run(&["run", "echo", "--plugins", folder, "--input", "x"]).refused(3, says);
    let file = dir.path().join("echo.wasm");
    run(&["run", file.to_str().unwrap(), "--input", "x"]).refused(3, says);
    std::fs::write(&manifest, "[grants.cache]\nrates = \"read-only\"\n").unwrap();
    assert_eq!(run(&["run", "echo", "--plugins", folder, "--input", "x"]).completed(), "x");
}

#[test]
fn a_name_that_no_plugin_can_have() {
    run(&["run", "Word_Count"]).refused(2, "is no plugin name");
}

#[test]
fn an_unknown_function() {
    run(&["run", "echo", "ehco"]).refused(2, "no function \"ehco\"; it has echo");
}

#[test]
fn an_input_that_the_function_does_not_take() {
    run(&["run", "wordcount"]).refused(2, "none is given");
    let bytes = ["--input", "x", "--content-type", "image/png"];
    run(&[&["run", "wordcount"][..], &bytes].concat()).refused(2, "not image/png");
}

#[test]
fn an_input_that_does_not_fit_the_functions_schema() {
    let input = ["--input", "{\"text\": [], \"to\": \"ass\"}"];
    let ran = run(&[&["run", "subtitles"][..], &input].concat());
    ran.refused(
        2,
        "input.text: expected string, got an array; input.to: expected \"vtt\" or \"srt\"",
    );
    let lines = "{\"plugin\": \"echo\"}\n{\"plugin\": \"subtitles\", \"input\": {}}";
    let ran = run_with(&["run", "--jsonl", "-"], lines.as_bytes());
    ran.refused(2, "stdin:2: input.text: it is missing");
}

#[test]
fn an_input_that_only_the_guest_can_refuse() {
    run(&["run", "wordcount", "--input", "[1]"]).refused(2, "invalid-input");
}
