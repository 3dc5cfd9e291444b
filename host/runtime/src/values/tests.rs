//! Values go into JSON and come back as they were; what isn't of a type is refused with its path.

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmtime::component::Val;

use super::*;
use crate::misfit::Path;

/// JSON may take what it needs.
const MAX: usize = usize::MAX;

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set("[a-z][a-z0-9]{0,4}(-[a-z][a-z0-9]{0,2})?", 1..5)
        .prop_map(|names| names.into_iter().collect())
}

pub(crate) fn any_type() -> impl Strategy<Value = ValueType> {
    use super::Integer as I;
    let integer =
        prop::sample::select(vec![I::S8, I::U8, I::S16, I::U16, I::S32, I::U32, I::S64, I::U64]);
    let leaf = prop_oneof![
        Just(ValueType::Bool),
        integer.prop_map(ValueType::Integer),
        Just(ValueType::F32),
        Just(ValueType::F64),
        Just(ValueType::Char),
        Just(ValueType::String),
        Just(ValueType::Bytes),
        names().prop_map(|names| enumeration(&names)),
        names().prop_map(ValueType::Flags),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let maybe = prop::option::of(inner.clone());
        let fields = (names(), prop::collection::vec(inner.clone(), 4..5));
        let cases = (names(), prop::collection::vec(maybe.clone(), 4..5));
        prop_oneof![
            inner.clone().prop_map(|ty| match ty {
                ValueType::Integer(I::U8) => ValueType::Bytes,
                ty => ValueType::List(Box::new(ty)),
            }),
            inner.clone().prop_map(|ty| ValueType::Option(Box::new(ty))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(ValueType::Tuple),
            fields.prop_map(|(names, types)| ValueType::Record(
                names.into_iter().zip(types).collect()
            )),
            cases.prop_map(|(names, types)| ValueType::Variant(
                names.into_iter().zip(types).collect()
            )),
            (maybe.clone(), maybe)
                .prop_map(|(ok, err)| ValueType::Result(ok.map(Box::new), err.map(Box::new))),
        ]
    })
}

/// Any value of a type.
pub(crate) fn value_of(ty: &ValueType) -> BoxedStrategy<Val> {
    use super::Integer as I;
    let boxed = |ty: &ValueType| value_of(ty).prop_map(|val| Some(Box::new(val))).boxed();
    let maybe = |ty: Option<&ValueType>| ty.map_or_else(|| Just(None).boxed(), boxed);
    match ty {
        ValueType::Bool => any::<bool>().prop_map(Val::Bool).boxed(),
        ValueType::Integer(I::S8) => any::<i8>().prop_map(Val::S8).boxed(),
        ValueType::Integer(I::U8) => any::<u8>().prop_map(Val::U8).boxed(),
        ValueType::Integer(I::S16) => any::<i16>().prop_map(Val::S16).boxed(),
        ValueType::Integer(I::U16) => any::<u16>().prop_map(Val::U16).boxed(),
        ValueType::Integer(I::S32) => any::<i32>().prop_map(Val::S32).boxed(),
        ValueType::Integer(I::U32) => any::<u32>().prop_map(Val::U32).boxed(),
        ValueType::Integer(I::S64) => any::<i64>().prop_map(Val::S64).boxed(),
        ValueType::Integer(I::U64) => any::<u64>().prop_map(Val::U64).boxed(),
        ValueType::F32 => any::<u32>().prop_map(|bits| Val::Float32(f32::from_bits(bits))).boxed(),
        ValueType::F64 => any::<u64>().prop_map(|bits| Val::Float64(f64::from_bits(bits))).boxed(),
        ValueType::Char => any::<char>().prop_map(Val::Char).boxed(),
        ValueType::String => any::<String>().prop_map(Val::String).boxed(),
        ValueType::Bytes => {
            let byte = any::<u8>().prop_map(Val::U8);
            prop::collection::vec(byte, 0..20).prop_map(Val::List).boxed()
        }
        ValueType::List(ty) => {
            prop::collection::vec(value_of(ty), 0..4).prop_map(Val::List).boxed()
        }
        ValueType::Tuple(types) => {
            types.iter().map(value_of).collect::<Vec<_>>().prop_map(Val::Tuple).boxed()
        }
        ValueType::Record(fields) => {
            let vals: Vec<_> = fields.iter().map(|(_, ty)| value_of(ty)).collect();
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            vals.prop_map(move |vals| Val::Record(names.iter().cloned().zip(vals).collect()))
                .boxed()
        }
        ValueType::Variant(cases) => {
            let case = |(name, ty): &(String, Option<ValueType>)| {
                let name = name.clone();
                maybe(ty.as_ref()).prop_map(move |val| Val::Variant(name.clone(), val)).boxed()
            };
            prop::strategy::Union::new(cases.iter().map(case)).boxed()
        }
        ValueType::Enum(cases) => {
            let names: Vec<String> = cases.names().map(str::to_owned).collect();
            prop::sample::select(names).prop_map(Val::Enum).boxed()
        }
        ValueType::Flags(names) => {
            prop::sample::subsequence(names.clone(), 0..=names.len()).prop_map(Val::Flags).boxed()
        }
        ValueType::Option(ty) => {
            prop_oneof![Just(Val::Option(None)), boxed(ty).prop_map(Val::Option)].boxed()
        }
        ValueType::Result(ok, err) => prop_oneof![
            maybe(ok.as_deref()).prop_map(|val| Val::Result(Ok(val))),
            maybe(err.as_deref()).prop_map(|val| Val::Result(Err(val))),
        ]
        .boxed(),
    }
}

fn read(ty: &ValueType, json: Value) -> Result<Val, String> {
    let mut reader = Reader::new();
    let straight = straight::value(ty, json.to_string().as_bytes());
    let val = reader.value(ty, json, &Path::Input);
    let read = match reader.faults() {
        None => Ok(val.expect("a value where there is no fault")),
        Some(faults) => Err(faults),
    };
    if let Some(straight) = straight {
        assert_eq!(Ok(&straight), read.as_ref(), "whichever way it is read");
    }
    read
}

fn written(ty: &ValueType, val: &Val) -> Value {
    serde_json::from_slice(&to_json(ty, val, MAX).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn a_value_comes_back_from_json_as_it_was(
        (ty, val) in any_type().prop_flat_map(|ty| (Just(ty.clone()), value_of(&ty)))
    ) {
        let json = to_json(&ty, &val, MAX).unwrap();
        prop_assert_eq!(straight::value(&ty, &json), Some(val.clone()));
        prop_assert_eq!(read(&ty, serde_json::from_slice(&json).unwrap()), Ok(val));
    }

    #[test]
    fn what_is_read_is_of_its_type_or_a_fault_with_a_path(
        ty in any_type(),
        (other, val) in any_type().prop_flat_map(|ty| (Just(ty.clone()), value_of(&ty)))
    ) {
        // A value of another type fits now and then; if it does, it is written as one of this type.
        match read(&ty, written(&other, &val)) {
            Ok(read_back) => prop_assert!(to_json(&ty, &read_back, MAX).is_ok()),
            Err(faults) => prop_assert!(faults.starts_with("input"), "{}", faults),
        }
    }
}

fn enumeration(names: &[impl AsRef<str>]) -> ValueType {
    ValueType::Enum(names.iter().map(|name| (name.as_ref().to_owned(), ())).collect())
}

fn record(fields: &[(&str, ValueType)]) -> ValueType {
    ValueType::Record(fields.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect())
}

#[track_caller]
fn check_refused(ty: &ValueType, json: Value, expected: &str) {
    let faults = read(ty, json).unwrap_err();
    assert!(faults.contains(expected), "{faults:?} has no {expected:?}");
}

#[test]
fn a_fault_names_its_path_and_what_would_fit() {
    let size = record(&[
        ("width", ValueType::Integer(Integer::U32)),
        ("names", ValueType::List(Box::new(ValueType::String))),
    ]);
    let ty = record(&[("size", size), ("mode", enumeration(&["fit"]))]);
    check_refused(
        &ty,
        json!({"size": {"width": "wide", "names": ["a", 1]}, "mode": "fill", "more": 1}),
        "input.size.width: expected u32, got \"wide\"; input.size.names[1]: expected string, got 1; \
         input.mode: \"fill\" is none of fit; input: has no field \"more\"; it has size, mode",
    );
    check_refused(&ty, json!({"mode": "fit"}), "input.size: is missing: expected record");
    check_refused(&ty, json!([]), "input: expected record (an object), got an array");
}

#[test]
fn numbers_are_exact_and_within_their_types() {
    let s8 = ValueType::Integer(Integer::S8);
    check_refused(&s8, json!(128), "128 is out of range for s8 (-128 to 127)");
    check_refused(&s8, json!(1.5), "expected s8, got 1.5");
    check_refused(&s8, json!("1e2"), "expected s8");
    check_refused(&ValueType::F32, json!(1e300), "1e300 is out of range for f32");
    let u64 = ValueType::Integer(Integer::U64);
    assert_eq!(read(&u64, json!("18446744073709551615")), Ok(Val::U64(u64::MAX)));
    assert_eq!(read(&u64, json!(2.0)), Ok(Val::U64(2)));
    check_refused(&u64, json!(-1), "-1 is out of range for u64");
    check_refused(&u64, json!("99999999999999999999999999999999999999999"), "expected u64");
    let s64 = ValueType::Integer(Integer::S64);
    assert_eq!(to_json(&s64, &Val::S64(i64::MIN), MAX).unwrap(), b"-9223372036854775808");
    assert_eq!(to_json(&ValueType::F32, &Val::Float32(0.1), MAX).unwrap(), b"0.1");
}

#[test]
fn what_json_has_no_number_for_goes_by_name() {
    for (float, name) in [(f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        assert_eq!(written(&ValueType::F64, &Val::Float64(float)), json!(name));
        assert_eq!(read(&ValueType::F32, json!(name)), Ok(Val::Float32(float as f32)));
    }
    assert_eq!(written(&ValueType::F32, &Val::Float32(f32::NAN)), json!("NaN"));
    check_refused(&ValueType::F64, json!("nan"), "expected f64");
}

#[test]
fn an_option_of_an_option_says_which_of_them_is_none() {
    let inner = ValueType::Option(Box::new(ValueType::Bool));
    let ty = ValueType::Option(Box::new(inner));
    let some_none = Val::Option(Some(Box::new(Val::Option(None))));
    assert_eq!(written(&ty, &some_none), json!({"some": null}));
    assert_eq!(read(&ty, json!({"some": null})), Ok(some_none));
    assert_eq!(read(&ty, json!(null)), Ok(Val::Option(None)));
    check_refused(&ty, json!(true), "{\"some\": value}");
}

#[test]
fn bytes_are_base64_or_an_array() {
    let bytes = Val::List(vec![Val::U8(1), Val::U8(255)]);
    for form in [json!("Af8="), json!("Af8"), json!([1, 255])] {
        assert_eq!(read(&ValueType::Bytes, form), Ok(bytes.clone()));
    }
    check_refused(&ValueType::Bytes, json!("?"), "expected base64, got \"?\"");
    check_refused(&ValueType::Bytes, json!([1, 256]), "input[1]: expected u8, got 256");
}

#[test]
fn cases_carry_what_they_are_to_carry() {
    let cases = [("all".to_owned(), None), ("some".to_owned(), Some(ValueType::Bool))];
    let ty = ValueType::Variant(cases.into_iter().collect());
    assert_eq!(read(&ty, json!("all")), Ok(Val::Variant("all".to_owned(), None)));
    assert_eq!(read(&ty, json!({"all": null})), Ok(Val::Variant("all".to_owned(), None)));
    check_refused(&ty, json!("some"), "\"some\" carries a value");
    check_refused(&ty, json!({"all": 1}), "input.all: carries no value, got 1");
    check_refused(&ty, json!({"none": 1}), "\"none\" is none of all, some");
    let flags = ValueType::Flags(vec!["a".to_owned()]);
    check_refused(&flags, json!(["a", "a"]), "\"a\" is there twice");
}

#[test]
fn fields_are_read_straight_in_any_order_and_each_once() {
    let option = ValueType::Option(Box::new(ValueType::Bool));
    let ty = record(&[("a", ValueType::Bool), ("b", option), ("c", ValueType::String)]);
    let read = |text: &str| straight::value(&ty, text.as_bytes());
    let expected = read(r#"{"a": true, "b": null, "c": "x"}"#);
    assert!(expected.is_some());
    assert_eq!(read(r#"{"c": "x", "a": true}"#), expected);
    for left_to_the_reader in [
        r#"{"a": true, "a": true, "c": "x"}"#,
        r#"{"a": true, "b": null}"#,
        r#"{"a": true, "c": "x", "d": 1}"#,
        r#"{"a": true, "c": "x"} 1"#,
    ] {
        assert_eq!(read(left_to_the_reader), None, "{left_to_the_reader}");
    }
}

#[test]
fn fields_beyond_those_that_are_looked_through_are_read_in_their_order() {
    let names: Vec<String> = (0..100).map(|at| format!("f{at}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (name.as_str(), ValueType::Bool)).collect();
    let ty = record(&fields);
    let text = |names: &mut dyn Iterator<Item = &String>| {
        let fields: Vec<String> = names.map(|name| format!("\"{name}\": true")).collect();
        format!("{{{}}}", fields.join(", "))
    };
    let in_order = straight::value(&ty, text(&mut names.iter()).as_bytes());
    assert!(in_order.is_some());
    let reversed = text(&mut names.iter().rev());
    assert_eq!(straight::value(&ty, reversed.as_bytes()), None);
    assert_eq!(read(&ty, serde_json::from_str(&reversed).unwrap()).ok(), in_order);
    let all_but_the_last = text(&mut names[..99].iter());
    assert_eq!(straight::value(&ty, all_but_the_last.as_bytes()), None);
}

#[test]
fn an_input_of_very_many_values_is_refused_once() {
    let ty = ValueType::List(Box::new(ValueType::Tuple(Vec::new())));
    let many = Value::Array(vec![json!([]); read::VALUES_MAX + 5]);
    let faults = read(&ty, many).unwrap_err();
    assert_eq!(faults.matches("an input may have").count(), 1, "{faults}");
}

#[test]
fn options_that_are_left_out_count_as_values() {
    let none = ValueType::Option(Box::new(ValueType::Bool));
    let fields: Vec<_> = (0..1000).map(|at| (format!("f{at}"), none.clone())).collect();
    let ty = ValueType::List(Box::new(ValueType::Record(fields)));
    let most = (read::VALUES_MAX - 1) / 1001;
    assert!(read(&ty, Value::Array(vec![json!({}); most])).is_ok());
    let many = Value::Array(vec![json!({}); most + 1]);
    assert!(read(&ty, many).unwrap_err().contains("an input may have"));
}

#[test]
fn what_a_fault_says_has_a_bound_whatever_the_names_are() {
    let name = "n".repeat(50_000);
    let mut ty = ValueType::Bool;
    for _ in 0..50 {
        ty = ValueType::Record(vec![(name.clone(), ty)]);
    }
    let mut json = json!({"x".repeat(50_000): "y".repeat(50_000)});
    for _ in 0..40 {
        json = json!({&name: json});
    }
    let faults = read(&ty, json).unwrap_err();
    assert!(faults.matches("; ").count() >= 1 && faults.len() < 8 << 10, "{}", faults.len());
}

#[test]
fn a_case_is_found_among_thousands() {
    let names: Vec<String> = (0..5_000).rev().map(|at| format!("case-{at}")).collect();
    let cases = names.iter().map(|name| (name.clone(), Some(ValueType::Bool)));
    for ty in [enumeration(&names), ValueType::Variant(cases.collect())] {
        for name in &names {
            let json = match ty {
                ValueType::Enum(_) => json!(name),
                _ => json!({name: true}),
            };
            assert_eq!(written(&ty, &read(&ty, json.clone()).unwrap()), json);
        }
        check_refused(&ty, json!("case-5000"), "is none of case-4999, case-4998, ");
    }
}

#[test]
fn a_result_is_written_up_to_its_bound() {
    let val = Val::String("x".repeat(98));
    assert_eq!(to_json(&ValueType::String, &val, 100).unwrap().len(), 100);
    assert_eq!(to_json(&ValueType::String, &val, 99), Err(Full));
}

#[test]
fn schemas_say_what_is_taken() {
    let ty = record(&[
        ("width", ValueType::Integer(Integer::U8)),
        ("title", ValueType::Option(Box::new(ValueType::String))),
    ]);
    assert_eq!(
        schema(&ty),
        json!({
            "type": "object",
            "properties": {
                "width": {"anyOf": [
                    {"type": "integer", "minimum": 0, "maximum": 255},
                    {"type": "string", "pattern": "^[0-9]+$"},
                ]},
                "title": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["width"],
            "additionalProperties": false,
        })
    );
    assert_eq!(array([].iter()), json!({"type": "array", "maxItems": 0}));
}
