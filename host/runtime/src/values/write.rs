//! From values to JSON, within a bound.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use wasmtime::component::Val;

use super::ValueType;

/// What most results take, so that their bytes are moved to no larger place while they are written.
const BYTES_USUAL: usize = 512;

/// The JSON would take more bytes than it may.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A value's JSON, in `bytes_max` bytes at most.
pub(crate) fn to_json(ty: &ValueType, val: &Val, bytes_max: usize) -> Result<Vec<u8>, Full> {
    let bytes = Vec::with_capacity(BYTES_USUAL.min(bytes_max));
    let mut bounded = Bounded { bytes, left: bytes_max };
    // Values come from the engine with the types that they were asked for, so that all that can go
    // wrong is their size.
    match serde_json::to_writer(&mut bounded, &Typed { ty, val }) {
        Ok(()) => Ok(bounded.bytes),
        Err(_) => Err(Full),
    }
}

struct Bounded {
    bytes: Vec<u8>,
    left: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(part.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn write_all(&mut self, part: &[u8]) -> io::Result<()> {
        self.write(part).map(|_| ())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Typed<'a> {
    ty: &'a ValueType,
    val: &'a Val,
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.ty, self.val) {
            (ValueType::Bool, Val::Bool(bool)) => to.serialize_bool(*bool),
            (ValueType::Integer(_), val) => integer(val, to),
            (ValueType::F32, Val::Float32(float)) => match finite(f64::from(*float)) {
                Ok(_) => to.serialize_f32(*float),
                Err(name) => to.serialize_str(name),
            },
            (ValueType::F64, Val::Float64(float)) => match finite(*float) {
                Ok(float) => to.serialize_f64(float),
                Err(name) => to.serialize_str(name),
            },
            (ValueType::Char, Val::Char(char)) => to.serialize_char(*char),
            (ValueType::String, Val::String(text)) => to.serialize_str(text),
            (ValueType::Enum(_), Val::Enum(name)) => to.serialize_str(name),
            (ValueType::Flags(_), Val::Flags(names)) => to.collect_seq(names),
            (ValueType::Bytes, Val::List(bytes)) => to.serialize_str(&STANDARD.encode(raw(bytes))),
            (ValueType::List(ty), Val::List(items)) => {
                to.collect_seq(items.iter().map(|val| Typed { ty, val }))
            }
            (ValueType::Tuple(types), Val::Tuple(items)) => {
                let mut seq = to.serialize_seq(Some(items.len()))?;
                for (ty, val) in types.iter().zip(items) {
                    seq.serialize_element(&Typed { ty, val })?;
                }
                seq.end()
            }
            (ValueType::Record(types), Val::Record(fields)) => {
                let mut map = to.serialize_map(Some(fields.len()))?;
                for ((name, ty), (_, val)) in types.iter().zip(fields) {
                    map.serialize_entry(name, &Typed { ty, val })?;
                }
                map.end()
            }
            (ValueType::Variant(cases), Val::Variant(name, val)) => {
                let ty = cases.get(name).and_then(|(_, ty)| ty.as_ref());
                case(name, ty, val.as_deref(), to)
            }
            (ValueType::Result(ok, _), Val::Result(Ok(val))) => {
                entry("ok", ok.as_deref(), val.as_deref(), to)
            }
            (ValueType::Result(_, err), Val::Result(Err(val))) => {
                entry("err", err.as_deref(), val.as_deref(), to)
            }
            (ValueType::Option(_), Val::Option(None)) => to.serialize_unit(),
            (ValueType::Option(ty), Val::Option(Some(val))) if ty.may_be_null() => {
                entry("some", Some(ty), Some(val), to)
            }
            (ValueType::Option(ty), Val::Option(Some(val))) => Typed { ty, val }.serialize(to),
            (ty, _) => Err(serde::ser::Error::custom(format_args!("a value isn't of type {ty}"))),
        }
    }
}

fn integer<S: Serializer>(val: &Val, to: S) -> Result<S::Ok, S::Error> {
    match val {
        Val::S8(number) => to.serialize_i8(*number),
        Val::U8(number) => to.serialize_u8(*number),
        Val::S16(number) => to.serialize_i16(*number),
        Val::U16(number) => to.serialize_u16(*number),
        Val::S32(number) => to.serialize_i32(*number),
        Val::U32(number) => to.serialize_u32(*number),
        Val::S64(number) => to.serialize_i64(*number),
        Val::U64(number) => to.serialize_u64(*number),
        _ => Err(serde::ser::Error::custom("a value isn't an integer")),
    }
}

/// A number as JSON knows it, else the name of what it doesn't know.
fn finite(float: f64) -> Result<f64, &'static str> {
    if float.is_nan() {
        Err("NaN")
    } else if float == f64::INFINITY {
        Err("Infinity")
    } else if float == f64::NEG_INFINITY {
        Err("-Infinity")
    } else {
        Ok(float)
    }
}

/// The bytes of a list of bytes.
pub(crate) fn raw(bytes: &[Val]) -> Vec<u8> {
    bytes
        .iter()
        .filter_map(|val| if let Val::U8(byte) = val { Some(*byte) } else { None })
        .collect()
}

/// A list of these bytes.
pub(crate) fn list(bytes: Vec<u8>) -> Val {
    Val::List(bytes.into_iter().map(Val::U8).collect())
}

/// A variant's case: its name alone where it carries nothing.
fn case<S: Serializer>(
    name: &str,
    ty: Option<&ValueType>,
    val: Option<&Val>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match val {
        Some(_) => entry(name, ty, val, to),
        None => to.serialize_str(name),
    }
}

fn entry<S: Serializer>(
    name: &str,
    ty: Option<&ValueType>,
    val: Option<&Val>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let typed = ty.zip(val).map(|(ty, val)| Typed { ty, val });
    let mut map = to.serialize_map(Some(1))?;
    map.serialize_entry(name, &typed)?;
    map.end()
}
