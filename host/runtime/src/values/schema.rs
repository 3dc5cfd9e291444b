//! JSON Schemas (2020-12) of types: what [`super::Reader`] takes and [`super::to_json`] gives.

use serde_json::{Map, Value, json};

use super::ValueType;

/// The schema of a type's values. What is taken in more than one form is given in the first.
pub(crate) fn schema(ty: &ValueType) -> Value {
    match ty {
        ValueType::Bool => json!({"type": "boolean"}),
        ValueType::Integer(integer) => {
            let (_, min, max) = integer.bounds();
            // Beyond 32 bits, numbers aren't exact everywhere.
            let number = json!({"type": "integer", "minimum": exact(min), "maximum": exact(max)});
            let digits = if min < 0 { "^-?[0-9]+$" } else { "^[0-9]+$" };
            json!({"anyOf": [number, {"type": "string", "pattern": digits}]})
        }
        ValueType::F32 | ValueType::F64 => json!({
            "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]
        }),
        ValueType::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
        ValueType::String => json!({"type": "string"}),
        ValueType::Bytes => json!({
            "anyOf": [
                {"type": "string", "contentEncoding": "base64"},
                {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}},
            ]
        }),
        ValueType::List(item) => json!({"type": "array", "items": schema(item)}),
        ValueType::Tuple(types) => array(types.iter()),
        ValueType::Record(fields) => object(fields.iter().map(|(name, ty)| (name.as_str(), ty))),
        ValueType::Enum(cases) => json!({"enum": cases.names().collect::<Vec<_>>()}),
        ValueType::Flags(names) => {
            json!({"type": "array", "items": {"enum": names}, "uniqueItems": true})
        }
        ValueType::Variant(cases) => {
            let bare: Vec<&String> =
                cases.iter().filter(|(_, ty)| ty.is_none()).map(|(name, _)| name).collect();
            let bare = (!bare.is_empty()).then(|| json!({"enum": bare}));
            let cases = cases.iter().map(|(name, ty)| only(name, ty.as_ref()));
            json!({"anyOf": bare.into_iter().chain(cases).collect::<Vec<_>>()})
        }
        ValueType::Option(some) if some.may_be_null() => {
            json!({"anyOf": [{"type": "null"}, only("some", Some(some))]})
        }
        ValueType::Option(some) => json!({"anyOf": [schema(some), {"type": "null"}]}),
        ValueType::Result(ok, err) => json!({
            "anyOf": [only("ok", ok.as_deref()), only("err", err.as_deref())]
        }),
    }
}

/// The schema of an object with these fields; options may be left out.
pub(crate) fn object<'t>(fields: impl Iterator<Item = (&'t str, &'t ValueType)>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, ty) in fields {
        if !matches!(ty, ValueType::Option(_)) {
            required.push(name);
        }
        properties.insert(name.to_owned(), schema(ty));
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of an array with one item of each type.
pub(crate) fn array<'t>(types: impl ExactSizeIterator<Item = &'t ValueType>) -> Value {
    let length = types.len();
    if length == 0 {
        // An empty `prefixItems` isn't allowed.
        return json!({"type": "array", "maxItems": 0});
    }
    let items: Vec<Value> = types.map(schema).collect();
    json!({"type": "array", "prefixItems": items, "minItems": length, "maxItems": length})
}

/// An object with one entry.
fn only(name: &str, ty: Option<&ValueType>) -> Value {
    let value = ty.map_or_else(|| json!({"type": "null"}), schema);
    json!({
        "type": "object",
        "properties": {name: value},
        "required": [name],
        "additionalProperties": false,
    })
}

fn exact(bound: i128) -> Value {
    i64::try_from(bound)
        .map(Value::from)
        .or_else(|_| u64::try_from(bound).map(Value::from))
        .unwrap_or_default()
}
