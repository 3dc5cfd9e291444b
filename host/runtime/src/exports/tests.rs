//! Functions with types of their own, called through the whole sandbox.

mod callable;

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use gristmill_cache::MemoryCache;
use gristmill_job::{NewJob, Outcome, Payload, SystemClock, Timestamp, media};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::values::tests::{any_type, value_of};
use crate::values::{self, ValueType};
use crate::{
    Attempt, Config, LoadError, Manifest, NoFollowUps, Plugin, Report, Runtime, SilentNotes, Stop,
};

fn runtime() -> Runtime {
    let cache_config = gristmill_cache::Config::default();
    let clock = Arc::new(SystemClock);
    let cache = Arc::new(MemoryCache::new(cache_config.clone(), Arc::clone(&clock) as _));
    let config = Config { slots: 2, ..Config::default() };
    Runtime::new(config, cache, cache_config, Arc::new(NoFollowUps), clock).unwrap()
}

async fn load(runtime: &Runtime, component: &str) -> Result<Plugin, LoadError> {
    let bytes = Bytes::from(component.to_owned());
    runtime.load("typed".parse().unwrap(), bytes).await
}

fn job(function: &str, input: Payload) -> NewJob {
    let function = (!function.is_empty()).then(|| function.parse().unwrap());
    NewJob { function, ..NewJob::new("typed".parse().unwrap(), input) }
}

async fn run(runtime: &Runtime, plugin: &Plugin, function: &str, input: Payload) -> Report {
    let attempt = Attempt {
        job: Arc::new(job(function, input)),
        number: 1,
        enqueued_at: Timestamp::from_millis(0),
        checkpoint: None,
        stop: Stop::new(),
        notes: Arc::new(SilentNotes),
    };
    runtime.run(plugin, attempt).await.unwrap()
}

#[track_caller]
fn result(report: &Report) -> Value {
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("no result: {:?}", report.outcome)
    };
    assert_eq!(result.content_type, media::JSON);
    serde_json::from_slice(&result.data).unwrap()
}

/// A component's text, with these types and functions; `$same` answers what it was given through memory.
fn component(body: &str) -> String {
    format!(
        r#"(component
          (core module $m
            (memory (export "memory") 16)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
              (local $at i32)
              (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
              (global.set $next (i32.add (local.get $at) (local.get $size)))
              (local.get $at))
            (func (export "same") (param i32) (result i32) (local.get 0))
            ;; Of a list or string: its address and length.
            (func (export "pair") (param i32 i32) (result i32)
              (i32.store (i32.const 16) (local.get 0))
              (i32.store (i32.const 20) (local.get 1))
              (i32.const 16))
            ;; The same as an ok, or as an err.
            (func $result (param i32 i32 i32) (result i32)
              (i32.store (i32.const 32) (local.get 0))
              (i32.store (i32.const 36) (local.get 1))
              (i32.store (i32.const 40) (local.get 2))
              (i32.const 32))
            (func (export "ok") (param i32 i32) (result i32)
              (call $result (i32.const 0) (local.get 0) (local.get 1)))
            (func (export "err") (param i32 i32) (result i32)
              (call $result (i32.const 1) (local.get 0) (local.get 1)))
            (func (export "add") (param i32 i32) (result i32)
              (i32.add (local.get 0) (local.get 1)))
            (func (export "nothing")))
          (core instance $i (instantiate $m))
          (alias core export $i "memory" (core memory $memory))
          (alias core export $i "realloc" (core func $realloc))
          {body})"#
    )
}

/// A function `name` of this type, lifted from the module's function `core`.
fn function(name: &str, core: &str, ty: &str) -> String {
    format!(
        r#"(func ${name} {ty}
             (canon lift (core func $i "{core}") (memory $memory) (realloc $realloc)))
           (export "{name}" (func ${name}))"#
    )
}

/// A type as text; the types that need a name are added to `named`.
fn text_of(ty: &ValueType, named: &mut Vec<String>) -> String {
    let made = match ty {
        ValueType::Bool => return "bool".to_owned(),
        ValueType::Integer(integer) => return integer.bounds().0.to_owned(),
        ValueType::F32 => return "f32".to_owned(),
        ValueType::F64 => return "f64".to_owned(),
        ValueType::Char => return "char".to_owned(),
        ValueType::String => return "string".to_owned(),
        ValueType::Bytes => return "(list u8)".to_owned(),
        ValueType::List(ty) => return format!("(list {})", text_of(ty, named)),
        ValueType::Option(ty) => return format!("(option {})", text_of(ty, named)),
        ValueType::Tuple(types) => {
            let types: Vec<_> = types.iter().map(|ty| text_of(ty, named)).collect();
            return format!("(tuple {})", types.join(" "));
        }
        ValueType::Result(ok, err) => {
            let ok = ok.as_ref().map(|ty| text_of(ty, named)).unwrap_or_default();
            let err = err.as_ref().map(|ty| format!("(error {})", text_of(ty, named)));
            return format!("(result {ok} {})", err.unwrap_or_default());
        }
        ValueType::Record(fields) => {
            let fields = fields.iter().map(|(name, ty)| {
                let ty = text_of(ty, named);
                format!("(field \"{name}\" {ty})")
            });
            format!("(record {})", fields.collect::<String>())
        }
        ValueType::Variant(cases) => {
            let cases = cases.iter().map(|(name, ty)| {
                let ty = ty.as_ref().map(|ty| text_of(ty, named)).unwrap_or_default();
                format!("(case \"{name}\" {ty})")
            });
            format!("(variant {})", cases.collect::<String>())
        }
        ValueType::Enum(cases) => {
            let names: Vec<&str> = cases.names().collect();
            format!("(enum \"{}\")", names.join("\" \""))
        }
        ValueType::Flags(names) => format!("(flags \"{}\")", names.join("\" \"")),
    };
    let number = named.len();
    named.push(format!(
        "(type $m{number} {made}) (export $t{number} \"t{number}\" (type $m{number}))"
    ));
    format!("$t{number}")
}

/// A component that gives back a value of this type. More than 16 flat values go through memory as they
/// are, so that one function fits all types.
fn echo_of(ty: &ValueType) -> String {
    const FILLED: &str = "u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8";
    let mut named = Vec::new();
    let ty = text_of(ty, &mut named);
    let ty = format!("(tuple {ty} {FILLED})");
    let function = function("echo", "same", &format!("(param \"value\" {ty}) (result {ty})"));
    component(&format!("{} {function}", named.join("\n")))
}

#[test]
fn a_value_of_any_type_goes_through_a_component_and_back() {
    let runtime = runtime();
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    let typed = any_type().prop_flat_map(|ty| (Just(ty.clone()), value_of(&ty)));
    let checked = runner.run(&typed, |(ty, val)| {
        let json = values::to_json(&ty, &val, usize::MAX).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        let mut filled = vec![json!(0); 17];
        filled[0] = json;
        let report = tokio.block_on(async {
            let plugin = load(&runtime, &echo_of(&ty)).await.unwrap();
            run(&runtime, &plugin, "", Payload::json(&json!({"value": filled}))).await
        });
        prop_assert_eq!(result(&report), Value::Array(filled));
        Ok(())
    });
    checked.unwrap();
}

fn typed() -> String {
    let functions = [
        ("bytes", "pair", "(param \"data\" (list u8)) (result (list u8))"),
        ("text", "pair", "(param \"text\" string) (result string)"),
        ("bytes-ok", "ok", "(param \"data\" (list u8)) (result (result (list u8) (error string)))"),
        ("text-err", "err", "(param \"text\" string) (result (result string (error string)))"),
        ("err-list", "err", "(param \"all\" (list u8)) (result (result (error (list u8))))"),
        ("add", "add", "(param \"left\" u32) (param \"right\" u32) (result u32)"),
        ("nothing", "nothing", ""),
    ];
    let text: String = functions.map(|(name, core, ty)| function(name, core, ty)).concat();
    component(&text)
}

#[tokio::test]
async fn arguments_go_by_name_by_position_in_wave_and_as_they_are() {
    let runtime = runtime();
    let plugin = load(&runtime, &typed()).await.unwrap();
    let wave =
        |text: &str| Payload { content_type: media::WAVE.to_owned(), data: text.to_owned().into() };
    for input in [
        Payload::json(&json!({"left": 40, "right": 2})),
        Payload::json(&json!([40, "2"])),
        Payload::text("[40, 2]"),
        wave("40, 2"),
        wave("(40, 2)"),
    ] {
        assert_eq!(result(&run(&runtime, &plugin, "add", input).await), json!(42));
    }
    for input in [
        Payload::text("hä"),
        Payload::json(&json!("hä")),
        Payload::json(&json!(["hä"])),
        wave("\"hä\""),
    ] {
        assert_eq!(result(&run(&runtime, &plugin, "text", input).await), json!("hä"));
    }
    for input in
        [Payload::bytes(vec![1, 2]), Payload::json(&json!({"data": "AQI="})), wave("[1, 2]")]
    {
        for name in ["bytes", "bytes-ok"] {
            let report = run(&runtime, &plugin, name, input.clone()).await;
            let Outcome::Completed { result: Some(result) } = report.outcome else { panic!() };
            assert_eq!(
                (result.content_type.as_str(), &result.data[..]),
                (media::BYTES, &[1, 2][..])
            );
        }
    }
    let report = run(&runtime, &plugin, "nothing", Payload::none()).await;
    assert!(matches!(report.outcome, Outcome::Completed { result: None }), "{report:?}");
}

#[tokio::test]
async fn an_error_that_a_function_answers_is_the_jobs_failure() {
    let runtime = runtime();
    let plugin = load(&runtime, &typed()).await.unwrap();
    let report = run(&runtime, &plugin, "text-err", Payload::text("disk full")).await;
    let error = report.outcome.error().expect("a failure");
    assert_eq!(error.message, "disk full");
    assert_eq!(&error.detail.as_ref().unwrap().data[..], b"\"disk full\"");
    let report = run(&runtime, &plugin, "err-list", Payload::bytes(vec![7])).await;
    let error = report.outcome.error().expect("a failure");
    assert_eq!(&error.detail.as_ref().unwrap().data[..], &[7]);
}

#[tokio::test]
async fn what_does_not_fit_is_told_before_an_attempt_and_takes_none() {
    let runtime = runtime();
    let plugin = load(&runtime, &typed()).await.unwrap();
    let refused = |input: Payload| plugin.check(&job("add", input)).unwrap_err().message;
    assert_eq!(
        refused(Payload::json(&json!({"left": "x", "rihgt": 1}))),
        "input.left: expected u32, got \"x\"; input.right: is missing: expected u32; \
         input: has no parameter \"rihgt\"; it has left, right"
    );
    assert!(refused(Payload::json(&json!([1, 2, 3]))).contains("expected 2 arguments, got 3"));
    assert!(refused(Payload::json(&json!(1))).contains("an array of 2"));
    assert!(refused(Payload::bytes(vec![1])).contains("add takes application/json"));
    assert!(refused(Payload::text("[1,")).contains("no valid JSON"));
    assert!(refused(Payload::none()).contains("input.left: is missing"));
    let broken = Payload { content_type: media::JSON.to_owned(), data: "{".into() };
    assert!(refused(broken).contains("no valid JSON"));
    let wave = |text: String| Payload { content_type: media::WAVE.to_owned(), data: text.into() };
    assert!(refused(wave("1".to_owned())).contains("no WAVE that fits"));
    assert!(refused(wave("[".repeat(100_000))).contains("no WAVE that fits"));
    let report = run(&runtime, &plugin, "add", Payload::json(&json!({}))).await;
    assert_eq!(report.outcome.error().unwrap().code, "invalid-input");
    assert_eq!(report.usage.cpu_us.used, 0);
}

#[tokio::test]
async fn a_function_goes_by_its_shortest_name_that_is_no_others() {
    let runtime = runtime();
    let in_interfaces = r#"
      (func $f (param "left" u32) (param "right" u32) (result u32) (canon lift (core func $i "add")))
      (instance $one (export "add" (func $f)) (export "only" (func $f)))
      (instance $two (export "add" (func $f)))
      (export "test:sums/one@1.2.0" (instance $one))
      (export "test:sums/two@1.2.0" (instance $two))
      (export "test:more/two@2.0.0" (instance $two))"#;
    let plugin = load(&runtime, &component(in_interfaces)).await.unwrap();
    let mut names = String::new();
    for function in plugin.functions().unwrap() {
        writeln!(names, "{}", function.name).unwrap();
    }
    assert_eq!(names, "one.add\nonly\ntest:sums/two#add\ntest:more/two#add\n");
    let checked = |name: &str| plugin.check(&job(name, Payload::json(&json!([1, 2]))));
    for name in ["one.add", "test:sums/one#add", "test:sums/one@1.2.0#add"] {
        assert_eq!(checked(name).unwrap().as_str(), "one.add");
    }
    assert_eq!(checked("test:more/two@2.0.0#add").unwrap().as_str(), "test:more/two#add");
    assert_eq!(
        checked("two.add").unwrap_err().message,
        "the plugin has several functions \"two.add\", name one: test:sums/two#add, test:more/two#add"
    );
    assert!(checked("add").unwrap_err().message.contains("name one: one.add, test:sums/two#add"));
    assert!(checked("sub").unwrap_err().message.contains("no function \"sub\""));
}

#[tokio::test]
async fn very_many_exports_are_neither_all_functions_nor_all_named() {
    let runtime = runtime();
    let add = function("f", "add", "(param \"left\" u32) (param \"right\" u32) (result u32)");
    let more: String = (0..3_000).map(|i| format!("(export \"g{i}\" (func $f))")).collect();
    let plugin = load(&runtime, &component(&format!("{add} {more}"))).await.unwrap();
    assert_eq!(plugin.functions().unwrap().len(), 1_000);
    let error = plugin.check(&job("h", Payload::none())).unwrap_err().message;
    assert!(error.ends_with('…') && error.len() < 1_200, "{error}");
    assert!(plugin.signatures().last().unwrap().not_callable.is_some());
}

#[tokio::test]
async fn types_beyond_any_measure_are_not_called() {
    let runtime = runtime();
    let mut types = "(type $t0 (tuple u8 u8))".to_owned();
    for i in 0..12 {
        write!(types, "(type $t{} (tuple $t{i} $t{i}))", i + 1).unwrap();
    }
    let ty = "(param \"value\" (list $t12)) (result (list $t12))";
    let error = load(&runtime, &component(&format!("{types} {}", function("f", "pair", ty)))).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("types are more than"), "{error}");
}

#[tokio::test]
async fn a_manifests_rules_hold_for_an_export_by_any_of_its_names() {
    let runtime = runtime();
    let manifest = Manifest::parse(b"[functions.add.limits]\nwall = '7s'", runtime.limits_max());
    let name = "typed".parse().unwrap();
    let bytes = Bytes::from(typed());
    let plugin = runtime.load_with(name, bytes, manifest.unwrap()).await.unwrap();
    let wall = |name: &str| plugin.terms(Some(&name.parse().unwrap())).limits.wall.as_secs();
    assert_eq!((wall("add"), wall("text") == 7), (7, false));

    let in_interface = r#"
      (func $f (param "left" u32) (param "right" u32) (result u32) (canon lift (core func $i "add")))
      (instance $one (export "add" (func $f)))
      (export "test:sums/one@1.2.0" (instance $one))"#;
    let manifest = Manifest::parse(b"[functions.add.limits]\nwall = '7s'", runtime.limits_max());
    let bytes = Bytes::from(component(in_interface));
    let name = "typed".parse().unwrap();
    let plugin = runtime.load_with(name, bytes, manifest.unwrap()).await.unwrap();
    let wall = |name: &str| plugin.terms(Some(&name.parse().unwrap())).limits.wall.as_secs();
    assert_eq!((wall("one.add"), wall("test:sums/one@1.2.0#add")), (7, 7));
}

#[tokio::test]
async fn a_handler_of_other_types_is_refused_when_it_is_loaded() {
    let runtime = runtime();
    let handler = r#"
      (func $f (param "left" u32) (param "right" u32) (result u32) (canon lift (core func $i "add")))
      (instance $h (export "handle" (func $f)))
      (export "gristmill:job/handler@0.1.0" (instance $h))"#;
    let error = load(&runtime, &component(handler)).await.unwrap_err();
    assert!(matches!(error, LoadError::WrongExport { .. }), "{error}");
    assert!(error.to_string().contains("func(left: u32, right: u32) -> u32"), "{error}");
}

#[tokio::test]
async fn a_result_larger_than_its_limit_hits_it_in_json_too() {
    let runtime = runtime();
    let plugin = load(&runtime, &typed()).await.unwrap();
    let text = "\u{1}".repeat(400_000);
    let report = run(&runtime, &plugin, "text", Payload::text(text)).await;
    assert_eq!(report.outcome.error().unwrap().limit.as_deref(), Some("result"));
}
