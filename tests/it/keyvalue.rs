//! `wasi:keyvalue` in both drafts, by components that know nothing of this host.

use gristmill_job::{Outcome, OutcomeKind, Payload};
use gristmill_runtime::{Access, Grants, Limits, Plugin, Report};
use gristmill_tests::{Sandbox, a_grant, a_job};
use serde_json::{Value, json};

const DRAFTS: [&str; 2] = ["keyvalue-draft", "keyvalue-draft2"];

/// Every call that changes something, with what it is called with.
const WRITES: [&[&str]; 5] = [
    &["set", "k", "w"],
    &["delete", "k"],
    &["increment", "n", "1"],
    &["set-many", "k l", "w"],
    &["delete-many", "k n"],
];

async fn attempt(sandbox: &Sandbox, plugin: &Plugin, store: &str, calls: Value) -> Report {
    let plan = Payload::json(&json!({"bucket": store, "calls": calls}));
    sandbox.attempt(plugin, a_job(plugin.name().as_str(), "call", plan), 1, None).await
}

/// Makes calls in a store, and answers with what came of each.
async fn calls(sandbox: &Sandbox, plugin: &Plugin, store: &str, calls: Value) -> Vec<Value> {
    let report = attempt(sandbox, plugin, store, calls).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("the job doesn't go on: {:?}", report.outcome)
    };
    serde_json::from_slice(&result.data).expect("JSON")
}

/// A call's answer, as JSON.
macro_rules! ok {
    ($($value:tt)+) => { json!({"Ok": $($value)+}) };
}

fn denied() -> Value {
    json!({"Err": "access denied"})
}

/// What both drafts do alike.
async fn check_common(sandbox: &Sandbox, plugin: &Plugin) {
    let single = json!([
        ["get", "k"],
        ["exists", "k"],
        ["set", "k", "v"],
        ["set", "k", "w"],
        ["get", "k"],
        ["exists", "k"],
        ["delete", "k"],
        ["delete", "k"],
        ["get", "k"],
        ["increment", "n", "5"],
        ["increment", "n", "2"],
        ["get", "n"],
    ]);
    let expected = [
        ok!(null),
        ok!(false),
        ok!(null),
        ok!(null),
        ok!("w"),
        ok!(true),
        ok!(null),
        ok!(null),
        ok!(null),
        ok!(5),
        ok!(7),
        ok!("7"),
    ];
    assert_eq!(calls(sandbox, plugin, "", single).await, expected);
    let batches = json!([
        ["set-many", "a b", "v"],
        ["get-many", "b c a"],
        ["delete-many", "a c"],
        ["list"],
        ["set", "", "v"],
        ["increment", "b", "1"],
    ]);
    let answers = calls(sandbox, plugin, "", batches).await;
    assert_eq!(answers[1], ok!([["b", "v"], null, ["a", "v"]]));
    assert_eq!(answers[3], ok!([1, ["b", "n"]]));
    for refused in &answers[4..] {
        let error = refused["Err"].as_str().unwrap_or_else(|| panic!("allowed: {refused}"));
        assert!(error.starts_with("invalid: "), "{error}");
    }
}

#[tokio::test]
pub(crate) async fn keyvalue_draft() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("keyvalue-draft").await;
    check_common(&sandbox, &plugin).await;
    let large = ["increment", "n", &u64::MAX.to_string()].map(str::to_owned);
    let answers = calls(&sandbox, &plugin, "", json!([large, ["list-from", "0"]])).await;
    let says = ["18446744073709551615 is more than", "0 is no cursor of this attempt"];
    for (answer, says) in answers.iter().zip(says) {
        assert!(answer["Err"].to_string().contains(says), "{answer}");
    }
}

#[tokio::test]
pub(crate) async fn keyvalue_draft2() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest("keyvalue-draft2").await;
    check_common(&sandbox, &plugin).await;
    let swaps = json!([
        ["increment", "m", "-3"],
        ["swap", "k", "one"],
        ["swap", "k", "two"],
        ["swap-late", "k", "three"],
        ["get", "k"],
    ]);
    let expected = [
        ok!(-3),
        ok!([null, "swapped"]),
        ok!(["one", "swapped"]),
        ok!(["two", "failed", "meanwhile", true]),
        ok!("three"),
    ];
    assert_eq!(calls(&sandbox, &plugin, "", swaps).await, expected);
}

#[tokio::test]
async fn a_counter_below_zero_is_no_answer_of_the_first_draft() {
    let sandbox = Sandbox::new();
    let one = sandbox.guest_as("keyvalue-draft", "one", Grants::default()).await;
    let answers = calls(&sandbox, &one, "", json!([["set", "n", "-3"], ["increment", "n", "1"]]));
    let error = answers.await[1]["Err"].to_string();
    assert!(error.contains("the sum is -2, which is below 0"), "{error}");
}

#[tokio::test]
async fn a_listing_goes_on_from_page_to_page() {
    let sandbox = Sandbox::new();
    for draft in DRAFTS {
        let plugin = sandbox.guest(draft).await;
        let keys: Vec<String> = (0..600).map(|n| format!("{n:03}")).collect();
        let mut plan: Vec<Value> =
            keys.chunks(200).map(|keys| json!(["set-many", keys.join(" "), "v"])).collect();
        plan.push(json!(["list"]));
        let answers = calls(&sandbox, &plugin, "", json!(plan)).await;
        assert_eq!(answers[3], ok!([3, keys]), "{draft}");
    }
}

#[tokio::test]
async fn two_components_see_nothing_of_each_other_unless_a_bucket_is_granted_to_both() {
    let sandbox = Sandbox::new();
    let grants = a_grant("shared", Access::ReadWrite);
    let one = sandbox.guest_as("keyvalue-draft", "one", grants.clone()).await;
    let two = sandbox.guest_as("keyvalue-draft2", "two", grants).await;
    let set = json!([["set", "k", "v"]]);
    calls(&sandbox, &one, "", set.clone()).await;
    let look = json!([["get", "k"], ["list"], ["get", "plugin:one:k"]]);
    let nothing = [ok!(null), ok!([1, []]), ok!(null)];
    for store in ["", "default", "shared"] {
        assert_eq!(calls(&sandbox, &two, store, look.clone()).await, nothing, "{store:?}");
    }
    calls(&sandbox, &one, "shared", set).await;
    assert_eq!(calls(&sandbox, &two, "shared", json!([["get", "k"]])).await, [ok!("v")]);
}

#[tokio::test]
async fn what_is_not_granted_cannot_be_opened_and_the_log_says_why() {
    let sandbox = Sandbox::new();
    for draft in DRAFTS {
        let grants = a_grant("other", Access::ReadWrite);
        let plugin = sandbox.guest_as(draft, draft, grants).await;
        let look = json!([["get", "k"]]);
        assert_eq!(calls(&sandbox, &plugin, "rates", look.clone()).await, [denied()]);
        let said = sandbox.recorded.messages().pop().expect("a line of log");
        let remedy =
            format!("\"rates\" = \"read-only\" under [grants.cache] in its manifest, {draft}");
        assert!(said.starts_with("wasi:keyvalue: ") && said.contains(&remedy), "{said}");
        for name in ["plugin:one", "a/b", " "] {
            let answers = calls(&sandbox, &plugin, name, look.clone()).await;
            assert_eq!(answers, [json!({"Err": "no such store"})], "{name:?}");
        }
    }
}

#[tokio::test]
async fn the_default_store_is_the_plugins_own_unless_a_bucket_of_that_name_is_granted() {
    let sandbox = Sandbox::new();
    for draft in DRAFTS {
        let own = sandbox.guest_as(draft, draft, Grants::default()).await;
        calls(&sandbox, &own, "default", json!([["set", "k", "own"]])).await;
        let look = json!([["get", "k"]]);
        assert_eq!(calls(&sandbox, &own, "", look.clone()).await, [ok!("own")]);
        let granted = sandbox.guest_as(draft, draft, a_grant("default", Access::ReadOnly)).await;
        assert_eq!(calls(&sandbox, &granted, "default", look.clone()).await, [ok!(null)]);
        assert_eq!(calls(&sandbox, &granted, "", look).await, [ok!("own")]);
    }
}

#[tokio::test]
async fn a_read_only_grant_refuses_every_write_of_both_drafts() {
    let sandbox = Sandbox::new();
    for draft in DRAFTS {
        let writer = sandbox.guest_as(draft, draft, a_grant(draft, Access::ReadWrite)).await;
        let reader = sandbox.guest_as(draft, draft, a_grant(draft, Access::ReadOnly)).await;
        let mut writes: Vec<Value> = WRITES.iter().map(|call| json!(call)).collect();
        if draft == "keyvalue-draft2" {
            writes.push(json!(["swap", "k", "w"]));
            writes.push(json!(["swap", "new", "w"]));
        }
        calls(&sandbox, &writer, draft, json!([["set", "k", "v"]])).await;
        for (answer, write) in
            calls(&sandbox, &reader, draft, json!(writes)).await.iter().zip(&writes)
        {
            assert_eq!(answer, &denied(), "{draft} {write}");
        }
        let look = json!([["list"], ["get", "k"], ["get-many", "k"], ["exists", "k"]]);
        let seen = [ok!([1, ["k"]]), ok!("v"), ok!([["k", "v"]]), ok!(true)];
        assert_eq!(calls(&sandbox, &reader, draft, look).await, seen);
    }
}

#[tokio::test]
async fn spent_budgets_are_said_and_the_job_goes_on() {
    let check = async |limits: Limits, plan: Value, says: &str| {
        let sandbox = Sandbox::with_limits(limits);
        for draft in DRAFTS {
            let answers = calls(&sandbox, &sandbox.guest(draft).await, "", plan.clone()).await;
            let error = answers.last().expect("an answer")["Err"].as_str().expect("a refusal");
            assert!(error.starts_with(says), "{error}");
        }
    };
    let ops = Limits { cache_ops_max: 3, ..Limits::default() };
    check(
        ops,
        json!([["set", "k", "v"], ["set-many", "k l", "v"], ["get", "k"]]),
        "quota-exceeded: cache_ops",
    )
    .await;
    let bytes = Limits { cache_bytes_max: 20, ..Limits::default() };
    check(bytes, json!([["set", "k", "x".repeat(20)]]), "quota-exceeded: cache_bytes").await;
    check(
        Limits::default(),
        json!([
            ["set", "k", "x".repeat((1 << 20) - 100)],
            ["set", "k", "x".repeat(100)],
            ["get", "k".repeat(513)]
        ]),
        "invalid: ",
    )
    .await;
}

#[tokio::test]
async fn a_component_may_hold_only_so_many_open_stores() {
    let sandbox = Sandbox::new();
    for draft in DRAFTS {
        let plugin = sandbox.guest(draft).await;
        let report = attempt(&sandbox, &plugin, "", json!([["hoard", ""]])).await;
        assert_eq!(report.outcome.kind(), OutcomeKind::LimitExceeded, "{:?}", report.outcome);
        let error = report.outcome.error().expect("an error");
        assert_eq!(error.limit.as_deref(), Some("handles"));
    }
}
