//! What schemas say of inputs, and that no schema and no input is too much.

use std::time::Duration;

use gristmill_job::time::monotonic;
use serde_json::{Map, json};

use super::*;
use crate::misfit::FAULTS_MAX;

fn faults(schema: &Value, input: &Value) -> Vec<String> {
    let schema = Schema::compile(schema).unwrap_or_else(|why| panic!("{why}"));
    let checked = schema.check(input, input.to_string().len());
    checked.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(schema: Value, input: Value, expected: &[&str]) {
    assert_eq!(faults(&schema, &input), expected, "{schema} {input}");
}

#[track_caller]
fn check_unusable(schema: Value, expected: &str) {
    let why = Schema::compile(&schema).expect_err("it can't be used");
    assert!(why.contains(expected), "{why}");
}

fn picture() -> Value {
    json!({
        "type": "object",
        "properties": {
            "size": {"$ref": "#/$defs/Size"},
            "format": {"enum": ["png", "jpeg"]},
            "tags": {"type": "array", "items": {"type": "string", "pattern": "^[\\w-]{1,64}$"}},
        },
        "required": ["size"],
        "additionalProperties": false,
        "$defs": {"Size": {
            "type": "object",
            "properties": {
                "width": {"type": "integer", "minimum": 1, "format": "uint32"},
                "height": {"type": ["integer", "null"]},
            },
            "required": ["width"],
        }},
    })
}

#[test]
fn a_fault_names_its_path_and_what_would_be_right() {
    check(picture(), json!({"size": {"width": 4}, "tags": ["a-1"]}), &[]);
    check(
        picture(),
        json!({"size": {"width": "wide", "height": 1.5}, "format": "gif", "tags": ["a", "b c"], "x": 1}),
        &[
            "input.size.width: expected integer, got \"wide\"",
            "input.size.height: expected integer or null, got 1.5",
            "input.format: expected \"png\" or \"jpeg\", got \"gif\"",
            "input.tags[1]: \"b c\" doesn't fit the pattern \"^[\\\\w-]{1,64}$\"",
            "input.x: this key isn't known; known are format, size, tags",
        ],
    );
    check(picture(), json!({"size": {}}), &["input.size.width: it is missing"]);
    check(picture(), json!([1]), &["input: expected object, got an array"]);
    let odd = json!({"properties": {"a b": {"items": {"minimum": 3}}}});
    check(odd, json!({"a b": [3, 2]}), &["input.\"a b\"[1]: expected at least 3, got 2"]);
}

#[test]
fn as_many_faults_are_told_as_there_is_room_for() {
    let input = Value::from(vec![1; 100]);
    assert_eq!(faults(&json!({"items": {"type": "string"}}), &input).len(), FAULTS_MAX);
}

#[test]
fn what_a_fault_repeats_is_cut() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!({"k".repeat(1_000): deep});
    }
    let pattern = "a".repeat(5_000);
    let schema =
        json!({"additionalProperties": {"$ref": "#"}, "type": "object", "pattern": pattern});
    for input in [deep, json!("b".repeat(1_000))] {
        let found = faults(&schema, &input);
        assert!(!found.is_empty() && found.iter().all(|fault| fault.len() < 2_000), "{found:?}");
    }
}

#[test]
fn each_keyword_is_kept() {
    let table = json!([
        [{"type": "integer"}, 1.0, 1.5],
        [{"type": ["array", "boolean"]}, [], {}],
        [{"const": {"a": [1, 2.0]}}, {"a": [1.0, 2]}, {"a": [1, 2, 3]}],
        [{"enum": ["1", 2, null]}, 2.0, 1],
        [{"minimum": 2, "maximum": 4}, 4, 4.5],
        [{"exclusiveMinimum": 2}, 2.01, 2],
        [{"exclusiveMaximum": 18446744073709551615_u64}, 18446744073709551614_u64, 18446744073709551615_u64],
        [{"multipleOf": 0.01}, 0.07, 0.075],
        [{"multipleOf": 3}, -9, 10],
        [{"exclusiveMinimum": -1e308, "type": "integer"}, 1e308, -1e308],
        [{"enum": [1e308]}, 1e308, -1e308],
        [{"minLength": 2}, "äö", "ä"],
        [{"maxLength": 2}, "äö", "äöü"],
        [{"pattern": "b+"}, "abc", "ac"],
        [{"minItems": 1, "maxItems": 2}, [1], []],
        [{"prefixItems": [true, {"type": "string"}], "items": false}, [1, "a"], [1, "a", 2]],
        [{"items": [{"type": "string"}], "additionalItems": {"type": "null"}}, ["a", null], ["a", 1]],
        [{"contains": {"minimum": 5}}, [1, 5], [1]],
        [{"contains": {"minimum": 5}, "minContains": 0, "maxContains": 1}, [], [5, 6]],
        [{"uniqueItems": true}, [1, true, "1", {"a": 1}], [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}]],
        [{"minProperties": 1, "maxProperties": 1}, {"a": 1}, {}],
        [{"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "null"}},
            {"x-a": "", "b": null}, {"x-a": 1}],
        [{"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}],
        [{"dependentRequired": {"a": ["b"]}}, {"b": 1}, {"a": 1}],
        [{"dependentSchemas": {"a": {"required": ["b"]}}}, {"c": 1}, {"a": 1}],
        [{"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, {"a": 1, "b": 1}, {"c": 1}],
        [{"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3],
        [{"anyOf": [{"minimum": 3}, {"maximum": 1}]}, 0, 2],
        [{"oneOf": [{"minimum": 1}, {"maximum": 2}]}, 3, 2],
        [{"not": {"type": "string"}}, 1, ""],
        [{"if": {"minimum": 5}, "then": {"multipleOf": 5}, "else": {"multipleOf": 2}}, 10, 7],
        [{"if": {"minimum": 5}, "then": {"multipleOf": 5}, "else": {"multipleOf": 2}}, 4, 3],
        [{"format": "email", "title": "", "later": 1, "allOf": [true]}, "any", {}],
        [{"allOf": [false]}, 0, 0],
    ]);
    for row in table.as_array().unwrap() {
        let [schema, fits, other] = &row.as_array().unwrap()[..] else { panic!("{row}") };
        let ignores = schema.get("format").is_some();
        let refuses = schema == &json!({"allOf": [false]});
        assert_eq!(faults(schema, fits).is_empty(), !refuses, "{schema} {fits}");
        assert_eq!(faults(schema, other).is_empty(), ignores, "{schema} {other}");
    }
}

#[test]
fn the_form_that_was_meant_is_told_by_its_tag() {
    let shapes = json!({"oneOf": [
        {"properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]},
        {"properties": {"kind": {"const": "square"}, "a": {"type": "number"}}, "required": ["kind", "a"]},
    ]});
    check(shapes.clone(), json!({"kind": "circle", "r": 1}), &[]);
    let wrong = json!({"kind": "square", "a": "wide"});
    check(shapes.clone(), wrong, &["input.a: expected number, got \"wide\""]);
    check(shapes, json!({}), &["input: it has none of 2 forms"]);
    let maybe = json!({"anyOf": [{"type": "object", "required": ["a"]}, {"type": "null"}]});
    check(maybe, json!({}), &["input.a: it is missing"]);
}

#[test]
fn references_lead_anywhere_within_the_schema_and_nowhere_else() {
    let tree = json!({
        "$defs": {"a/b": {"$anchor": "node", "properties": {"next": {"$ref": "#node"}, "n": {"type": "integer"}}}},
        "$ref": "#/%24defs/a~1b",
    });
    check(tree.clone(), json!({"next": {"next": {"n": 1}}}), &[]);
    let wrong = json!({"next": {"next": {"n": "1"}}});
    check(tree, wrong, &["input.next.next.n: expected integer, got \"1\""]);
    check_unusable(json!({"$ref": "https://example.com/s"}), "nothing is fetched");
    check_unusable(json!({"$ref": "file:///etc/passwd"}), "nothing is fetched");
    check_unusable(
        json!({"items": {"$ref": "#/$defs/x"}}),
        "at \"#/items/$ref\": \"#/$defs/x\" leads",
    );
    check_unusable(json!({"$ref": "#x"}), "leads nowhere");
}

#[test]
fn what_cannot_be_kept_is_refused_with_its_place() {
    check_unusable(json!({"unevaluatedProperties": false}), "unevaluatedProperties can't be kept");
    check_unusable(
        json!({"items": {"type": "text"}}),
        "at \"#/items/type\": expected names of types",
    );
    check_unusable(json!({"pattern": "^(?=a)"}), "at \"#/pattern\": \"^(?=a)\" is no pattern");
    check_unusable(json!({"minLength": -1}), "at \"#/minLength\": expected a whole number");
    check_unusable(json!({"allOf": [3]}), "at \"#/allOf/0\": a schema is an object, true or false");
    check_unusable(
        json!({"properties": {"a/b": {"required": 1}}}),
        "\"#/properties/a~1b/required\"",
    );
}

/// A schema whose first form refers to the next by `refer`, and so on.
fn chain(length: usize, refer: impl Fn(Value) -> Value) -> Value {
    let mut forms = Map::new();
    for at in 0..length {
        forms.insert(at.to_string(), refer(json!({"$ref": format!("#/$defs/{}", at + 1)})));
    }
    forms.insert(length.to_string(), json!({"type": "integer"}));
    json!({"$ref": "#/$defs/0", "$defs": forms})
}

/// Whatever the schema, an answer takes no longer than this, in a build without optimisation on a busy
/// machine; what isn't bounded takes hours.
const LONGEST: Duration = Duration::from_secs(20);

#[track_caller]
fn check_bounded(schema: Value, input: Value, expected: &str) {
    let start = monotonic();
    // As much as a fiber has beside its guest.
    let thread = std::thread::Builder::new()
        .stack_size(crate::config::FIBER_STACK_BYTES - crate::config::STACK_BYTES_MAX);
    let found = thread.spawn(move || faults(&schema, &input)).unwrap().join().unwrap();
    assert!(found.iter().any(|fault| fault.contains(expected)), "{found:?}");
    assert!(monotonic() - start < LONGEST);
}

#[test]
fn no_chain_of_references_is_too_long() {
    check_bounded(chain(10_000, |next| next), json!(1), "too deep");
    check_bounded(json!({"$ref": "#"}), json!(1), "too deep");
    let mut nested = json!({});
    for _ in 0..100 {
        nested = json!({"a": nested});
    }
    let all = json!({"allOf": [{"anyOf": [{"additionalProperties": {"$ref": "#"}}]}]});
    check_bounded(all, nested, "too deep");
}

#[test]
fn no_schema_keeps_anybody_busy() {
    check_bounded(chain(40, |next| json!({"allOf": [next, next]})), json!(1), "too long");
    check_bounded(
        chain(40, |next| json!({"anyOf": [{"not": next}, next]})),
        json!("x"),
        "too long",
    );
    let tree = json!({"oneOf": [
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "null"},
    ]});
    let mut nested = Value::Null;
    for _ in 0..60 {
        nested = json!({"a": nested});
    }
    check_bounded(tree, nested, "too");
    let forms = vec![json!({"pattern": "(a|b)*a(a|b){50}"}); 60];
    check_bounded(json!({"allOf": forms}), json!("ab".repeat(20_000)), "too long");
    let values: Vec<_> = (0..10_000).map(|n| json!([n])).collect();
    check_bounded(
        json!({"contains": {"enum": values}}),
        json!(vec![json!(["x"]); 20_000]),
        "too long",
    );
}

#[test]
fn no_pattern_is_too_much() {
    for pattern in [
        "(a{1000}){1000}",
        "(?:){4294967295}",
        "((a*)*)*$",
        &"(".repeat(50_000),
        &"a|".repeat(100_000),
    ] {
        let start = monotonic();
        let _ = Schema::compile(&json!({"pattern": pattern}));
        assert!(monotonic() - start < LONGEST, "{}", &pattern[..10]);
    }
    let many: Vec<_> = (0..10_000).map(|n| json!({"pattern": format!("{n}")})).collect();
    check_unusable(json!({"allOf": many}), "no pattern that can be used");
    check(
        json!({"pattern": "^(a+)+$"}),
        json!("a".repeat(2_000) + "!"),
        &[&format!("input: \"{}\"… doesn't fit the pattern \"^(a+)+$\"", "a".repeat(120))],
    );
}

#[test]
fn a_large_input_that_fits_is_let_through() {
    let input = Value::from(vec![1_u8; 500_000]);
    check(json!({"items": {"type": "integer", "minimum": 0, "maximum": 255}}), input, &[]);
}
