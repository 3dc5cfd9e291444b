//! Which exports are functions for jobs, and what is said of the others.

use super::{component, function, load, runtime};

#[tokio::test]
async fn a_function_that_no_job_can_call_says_why() {
    let runtime = runtime();
    let resource = r#"
      (type $r' (resource (rep i32)))
      (export $r "r" (type $r'))
      (core func $drop (canon resource.drop $r'))
      (func $give (param "r" (own $r)) (canon lift (core func $drop)))"#;
    let add = function("add", "add", "(param \"left\" u32) (param \"right\" u32) (result u32)");
    let text = component(&format!("{resource} (export \"give\" (func $give)) {add}"));
    let plugin = load(&runtime, &text).await.unwrap();
    let give = plugin.signatures().into_iter().find(|s| s.function == "give").unwrap();
    assert!(give.not_callable.unwrap().contains("a resource"));
    assert_eq!(plugin.functions().unwrap().len(), 1);

    let text = component(&format!("{resource} (export \"give\" (func $give))"));
    let error = load(&runtime, &text).await.unwrap_err().to_string();
    assert!(error.contains("give can't be called: it takes or gives a resource"), "{error}");
}

/// A component that exports a function `init` of this type.
fn with_init(ty: &str) -> String {
    let core = r#"
      (core module $n (func (export "init") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))
      (core instance $j (instantiate $n))"#;
    let add = function("add", "add", "(param \"left\" u32) (param \"right\" u32) (result u32)");
    let init = format!(
        r#"(func $init {ty}
             (canon lift (core func $j "init") (memory $memory) (realloc $realloc)))
           (export "init" (func $init))"#
    );
    component(&format!("{core} {add} {init}"))
}

#[tokio::test]
async fn what_a_tool_leaves_among_the_exports_is_no_function_and_an_authors_own_is() {
    let runtime = runtime();
    let rest = "(param \"script\" string) (param \"entry-path\" (option string)) \
                (param \"disable-gc\" bool) (result (result (error string)))";
    let tools = format!("(param \"shim\" string) {rest}");
    let plugin = load(&runtime, &with_init(&tools)).await.unwrap();
    let names: Vec<&str> = plugin.functions().unwrap().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["add"]);
    let init = plugin.signatures().into_iter().find(|s| s.function == "init").unwrap();
    assert!(init.not_callable.unwrap().contains("the tool that made the component"));

    let own = format!("(param \"name\" string) {rest}");
    let plugin = load(&runtime, &with_init(&own)).await.unwrap();
    assert_eq!(plugin.functions().unwrap().len(), 2);
}
