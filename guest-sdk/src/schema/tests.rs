//! What derived schemas say, and that they take what serde takes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::prelude::*;

/// The schema of a type, with the types in it in its place.
fn schema<J: Job>() -> Value {
    let text = J::input_schema().expect("it is described");
    let mut whole: Value = serde_json::from_str(&text).expect("it is JSON");
    let named = whole.as_object_mut().unwrap().remove("$defs").unwrap_or_default();
    put_in_place(&mut whole, &named);
    whole
}

fn put_in_place(schema: &mut Value, named: &Value) {
    if let Some(Value::String(reference)) = schema.get("$ref") {
        let name = reference.strip_prefix("#/$defs/").expect("it is within");
        let mut target = named[name].clone();
        put_in_place(&mut target, named);
        let members = schema.as_object_mut().unwrap();
        members.remove("$ref");
        for (key, value) in target.as_object().unwrap() {
            members.entry(key).or_insert(value.clone());
        }
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(|value| put_in_place(value, named)),
        Value::Array(items) => items.iter_mut().for_each(|value| put_in_place(value, named)),
        _ => {}
    }
}

macro_rules! check {
    ($ty:ty, $expected:tt) => {{
        #[job]
        fn takes(_input: $ty) -> JobResult {
            Ok(())
        }
        assert_eq!(schema::<takes>(), json!($expected));
    }};
}

/// A picture's new size.
///
/// And more.
#[derive(Deserialize, Describe)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "it is only described")]
struct Resize {
    /// In "pixels".
    max_width: u8,
    #[serde(rename = "h", alias = "height")]
    max_height: Option<i8>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(skip)]
    cached: bool,
    r#type: Foreign,
    #[serde(with = "opaque")]
    odd: bool,
}

/// A type that nobody described.
#[derive(Deserialize)]
struct Foreign;

mod opaque {
    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<bool, D::Error> {
        Ok(true)
    }
}

#[test]
fn a_struct_is_described_as_serde_reads_it() {
    check!(Resize, {
        "description": "A picture's new size.",
        "type": "object",
        "properties": {
            "maxWidth": {"type": "integer", "minimum": 0, "maximum": 255, "description": "In \"pixels\"."},
            "h": {"anyOf": [{"type": "integer", "minimum": -128, "maximum": 127}, {"type": "null"}]},
            "height": {"anyOf": [{"type": "integer", "minimum": -128, "maximum": 127}, {"type": "null"}]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "type": {},
            "odd": {},
        },
        "required": ["maxWidth", "type", "odd"],
        "additionalProperties": false,
    });
}

#[derive(Deserialize, Describe)]
#[expect(dead_code, reason = "it is only described")]
struct Whole {
    name: Name,
    pair: Pair,
    #[serde(flatten)]
    more: std::collections::BTreeMap<String, u8>,
}

#[derive(Deserialize, Describe)]
#[expect(dead_code, reason = "it is only described")]
struct Name(String);

#[derive(Deserialize, Describe)]
#[expect(dead_code, reason = "it is only described")]
struct Pair(bool, #[serde(default)] char);

#[test]
fn tuples_and_what_is_flattened_have_their_forms() {
    check!(Whole, {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "pair": {
                "type": "array",
                "prefixItems": [
                    {"type": "boolean"},
                    {"type": "string", "minLength": 1, "maxLength": 1},
                ],
                "minItems": 1,
                "items": false,
            },
        },
        "required": ["name", "pair"],
    });
    check!(std::collections::HashMap<String, Option<f64>>, {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    });
}

#[derive(Deserialize, Describe)]
#[serde(rename_all = "kebab-case")]
enum Plain {
    VeryFast,
    #[serde(alias = "slow")]
    Slowest,
    #[serde(skip)]
    #[expect(dead_code, reason = "it is never read")]
    Never,
}

#[derive(Deserialize, Describe)]
#[expect(dead_code, reason = "it is only described")]
enum Outer {
    /// Nothing.
    None,
    One(u8),
    Named {
        a: Plain,
    },
}

#[derive(Deserialize, Describe)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "UPPERCASE")]
#[expect(dead_code, reason = "it is only described")]
enum Tagged {
    BigOne { a: bool },
    Of(Pair),
    Nothing,
}

#[derive(Deserialize, Describe)]
#[serde(tag = "t", content = "c")]
#[expect(dead_code, reason = "it is only described")]
enum Beside {
    A(bool),
    B,
}

#[derive(Deserialize, Describe)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
enum Either {
    Text(String),
    Foreign(Foreign),
}

#[test]
fn enums_are_described_by_their_tags() {
    check!(Plain, {"type": "string", "enum": ["very-fast", "slowest", "slow"]});
    check!(Outer, {"anyOf": [
        {"const": "None", "description": "Nothing."},
        {
            "type": "object",
            "properties": {"One": {"type": "integer", "minimum": 0, "maximum": 255}},
            "required": ["One"],
            "additionalProperties": false,
        },
        {
            "type": "object",
            "properties": {"Named": {
                "type": "object",
                "properties": {"a": {"type": "string", "enum": ["very-fast", "slowest", "slow"]}},
                "required": ["a"],
            }},
            "required": ["Named"],
            "additionalProperties": false,
        },
    ]});
    check!(Tagged, {"anyOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": "big_one"}, "A": {"type": "boolean"}},
            "required": ["kind", "A"],
        },
        {"type": "object", "properties": {"kind": {"const": "of"}}, "required": ["kind"]},
        {"type": "object", "properties": {"kind": {"const": "nothing"}}, "required": ["kind"]},
    ]});
    check!(Beside, {"anyOf": [
        {
            "type": "object",
            "properties": {"t": {"const": "A"}, "c": {"type": "boolean"}},
            "required": ["t", "c"],
        },
        {"type": "object", "properties": {"t": {"const": "B"}}, "required": ["t"]},
    ]});
    check!(Either, {"anyOf": [{"type": "string"}, {}]});
}

#[derive(Deserialize, Describe)]
#[expect(dead_code, reason = "it is only described")]
struct Tree {
    #[serde(default)]
    children: Vec<Tree>,
}

#[test]
fn a_type_that_holds_itself_is_described_once() {
    #[job]
    fn takes(_input: Tree) -> JobResult {
        Ok(())
    }
    let text = takes::input_schema().unwrap();
    let name = concat!("#/$defs/", module_path!(), "::Tree");
    assert_eq!(text.matches(name).count(), 2, "{text}");
    assert_eq!(text.matches("\"properties\"").count(), 1, "{text}");
}

#[test]
fn what_is_not_json_or_not_described_has_no_schema() {
    #[job]
    fn bytes(_input: Vec<u8>) -> JobResult<String> {
        Ok(String::new())
    }
    #[job]
    fn foreign(_input: Foreign) -> JobResult<Payload> {
        Ok(Payload::default())
    }
    #[job(input = Tree, output = Vec<u8>)]
    fn by_hand(input: Payload) -> JobResult<Payload> {
        Ok(input)
    }
    assert_eq!((bytes::input_schema(), bytes::output_schema()), (None, None));
    assert_eq!((foreign::input_schema(), foreign::output_schema()), (None, None));
    assert!(by_hand::input_schema().unwrap().contains("children"));
    assert!(by_hand::output_schema().unwrap().contains("array"));
}

#[derive(Serialize, Describe)]
#[serde(try_from = "String")]
struct Checked {
    parts: Vec<u8>,
}

#[test]
fn what_is_read_as_another_type_is_described_as_that() {
    assert_eq!(
        crate::schema::schema(Checked::members).unwrap().matches("\"type\":\"string\"").count(),
        1
    );
}
