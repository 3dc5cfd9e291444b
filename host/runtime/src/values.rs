//! Values of a component's own types, as jobs give and get them: in JSON (`docs/values.md`).
//!
//! The engine's types are shared handles into a component; [`ValueType`] is a tree of our own, made once
//! when a plugin is loaded. A few bytes of a component may describe a type of any size, so the tree is
//! bounded.

mod named;
mod read;
mod schema;
mod straight;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};
use wasmtime::component::{Type, Val};

pub(crate) use named::Named;
pub(crate) use read::{Reader, VALUES_MAX};
pub(crate) use schema::{array, object, schema};
pub(crate) use straight::arguments;
pub(crate) use write::{Full, list, raw, to_json};

/// The most types that the parameters and results of a component's functions are made of: far more than
/// people write, and a few megabytes with their schemas.
const TYPES_MAX: usize = 10_000;

/// The deepest nesting of types; the JSON parser reads no deeper than 128 levels.
const DEPTH_MAX: usize = 60;

/// A type whose values can be written as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum ValueType {
    Bool,
    Integer(Integer),
    F32,
    F64,
    Char,
    String,
    /// `list<u8>`, which has a form of its own.
    Bytes,
    List(Box<ValueType>),
    Tuple(Vec<ValueType>),
    Record(Vec<(String, ValueType)>),
    Variant(Named<Option<ValueType>>),
    Enum(Named<()>),
    Flags(Vec<String>),
    Option(Box<ValueType>),
    Result(Option<Box<ValueType>>, Option<Box<ValueType>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Integer {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

impl Integer {
    /// The name of the type, its least and its greatest value.
    pub(crate) fn bounds(self) -> (&'static str, i128, i128) {
        match self {
            Self::S8 => ("s8", i8::MIN.into(), i8::MAX.into()),
            Self::U8 => ("u8", 0, u8::MAX.into()),
            Self::S16 => ("s16", i16::MIN.into(), i16::MAX.into()),
            Self::U16 => ("u16", 0, u16::MAX.into()),
            Self::S32 => ("s32", i32::MIN.into(), i32::MAX.into()),
            Self::U32 => ("u32", 0, u32::MAX.into()),
            Self::S64 => ("s64", i64::MIN.into(), i64::MAX.into()),
            Self::U64 => ("u64", 0, u64::MAX.into()),
        }
    }

    /// The number as a value, if it is within these bounds.
    pub(crate) fn val(self, number: i128) -> Option<Val> {
        match self {
            Self::S8 => number.try_into().map(Val::S8).ok(),
            Self::U8 => number.try_into().map(Val::U8).ok(),
            Self::S16 => number.try_into().map(Val::S16).ok(),
            Self::U16 => number.try_into().map(Val::U16).ok(),
            Self::S32 => number.try_into().map(Val::S32).ok(),
            Self::U32 => number.try_into().map(Val::U32).ok(),
            Self::S64 => number.try_into().map(Val::S64).ok(),
            Self::U64 => number.try_into().map(Val::U64).ok(),
        }
    }
}

impl fmt::Display for ValueType {
    /// What a value of another type is told to be: the type's name, without what it is made of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Integer(integer) => integer.bounds().0,
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::Bytes => "list<u8> (base64, or an array of bytes)",
            Self::List(_) => "list (an array)",
            Self::Tuple(types) => return write!(f, "tuple (an array of {})", types.len()),
            Self::Record(_) => "record (an object)",
            Self::Variant(_) => "variant (a case's name, or {\"case\": value})",
            Self::Enum(_) => "enum (a case's name)",
            Self::Flags(_) => "flags (an array of names)",
            Self::Option(ty) => return write!(f, "option of {ty}"),
            Self::Result(..) => "result ({\"ok\": value} or {\"err\": value})",
        })
    }
}

impl ValueType {
    /// Whether a value of it is `null` in JSON, so that an option of it needs another form.
    pub(crate) fn may_be_null(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}

/// Makes trees of the engine's types, within a bound for all of a component.
pub(crate) struct Types {
    left: usize,
}

impl Types {
    pub(crate) fn new() -> Self {
        Self { left: TYPES_MAX }
    }

    /// # Errors
    /// Why no job can give or get a value of this type.
    pub(crate) fn of(&mut self, ty: &Type) -> Result<ValueType, String> {
        self.at(ty, 0)
    }

    fn at(&mut self, ty: &Type, depth: usize) -> Result<ValueType, String> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(format!("the component's types are more than {TYPES_MAX}"));
        };
        if depth > DEPTH_MAX {
            return Err(format!("its types are nested deeper than {DEPTH_MAX} levels"));
        }
        self.left = left;
        Ok(match ty {
            Type::Bool => ValueType::Bool,
            Type::S8 => ValueType::Integer(Integer::S8),
            Type::U8 => ValueType::Integer(Integer::U8),
            Type::S16 => ValueType::Integer(Integer::S16),
            Type::U16 => ValueType::Integer(Integer::U16),
            Type::S32 => ValueType::Integer(Integer::S32),
            Type::U32 => ValueType::Integer(Integer::U32),
            Type::S64 => ValueType::Integer(Integer::S64),
            Type::U64 => ValueType::Integer(Integer::U64),
            Type::Float32 => ValueType::F32,
            Type::Float64 => ValueType::F64,
            Type::Char => ValueType::Char,
            Type::String => ValueType::String,
            Type::Own(_) | Type::Borrow(_) => {
                return Err("it takes or gives a resource, which lives in an instance".to_owned());
            }
            Type::Stream(_) | Type::Future(_) | Type::ErrorContext => {
                return Err("it takes or gives a stream or a future".to_owned());
            }
            Type::Map(_) | Type::FixedLengthList(_) => {
                return Err("it takes or gives a type of a later version".to_owned());
            }
            made => self.made_of(made, depth + 1)?,
        })
    }

    /// A type that is made of others.
    fn made_of(&mut self, ty: &Type, depth: usize) -> Result<ValueType, String> {
        let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
        Ok(match ty {
            Type::List(list) if list.ty() == Type::U8 => ValueType::Bytes,
            Type::List(list) => ValueType::List(Box::new(self.at(&list.ty(), depth)?)),
            Type::Option(option) => ValueType::Option(Box::new(self.at(&option.ty(), depth)?)),
            Type::Tuple(tuple) => {
                let types = tuple.types().map(|ty| self.at(&ty, depth));
                ValueType::Tuple(types.collect::<Result<_, _>>()?)
            }
            Type::Record(record) => {
                let fields = record
                    .fields()
                    .map(|field| Ok((field.name.to_owned(), self.at(&field.ty, depth)?)));
                ValueType::Record(fields.collect::<Result<_, String>>()?)
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| {
                    let ty = case.ty.map(|ty| self.at(&ty, depth)).transpose()?;
                    Ok((case.name.to_owned(), ty))
                });
                ValueType::Variant(cases.collect::<Result<_, String>>()?)
            }
            Type::Result(result) => {
                let mut side =
                    |ty: Option<Type>| ty.map(|ty| self.at(&ty, depth).map(Box::new)).transpose();
                ValueType::Result(side(result.ok())?, side(result.err())?)
            }
            Type::Enum(cases) => {
                let names = self.counted(names(&mut cases.names()))?;
                ValueType::Enum(names.into_iter().map(|name| (name, ())).collect())
            }
            Type::Flags(flags) => ValueType::Flags(self.counted(names(&mut flags.names()))?),
            _ => return Err("it takes or gives a type of a later version".to_owned()),
        })
    }

    /// Names count as much as types do: they take as much room.
    fn counted(&mut self, names: Vec<String>) -> Result<Vec<String>, String> {
        self.left = self
            .left
            .checked_sub(names.len())
            .ok_or_else(|| format!("the component's types have more than {TYPES_MAX} names"))?;
        Ok(names)
    }
}
