//! From JSON straight to values, without a tree between: what fits its types, and is written as nearly
//! everybody writes it. Of all else it says nothing; [`super::Reader`], who knows the rarer ways to write a
//! value and tells what is wrong, looks at that.

mod fields;

use std::cell::Cell;
use std::fmt::{self, Display as _};

use base64::Engine as _;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use wasmtime::component::Val;

use self::fields::Fields;
use super::read::{BASE64, VALUES_MAX, narrow, without_number};
use super::{ValueType, list};

/// A function's arguments, all of them by name or by position.
pub(crate) fn arguments(parameters: &[(String, ValueType)], json: &[u8]) -> Option<Vec<Val>> {
    let left = Cell::new(VALUES_MAX);
    all_of(json, Fields::new(parameters, &left))
}

#[cfg(test)]
pub(super) fn value(ty: &ValueType, json: &[u8]) -> Option<Val> {
    let left = Cell::new(VALUES_MAX);
    all_of(json, Of { ty, left: &left })
}

fn all_of<'de, S: DeserializeSeed<'de>>(json: &'de [u8], seed: S) -> Option<S::Value> {
    // All of it at once, which costs less than each text by itself.
    let json = std::str::from_utf8(json).ok()?;
    let mut json = serde_json::Deserializer::from_str(json);
    let read = seed.deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(read)
}

/// What isn't read here; nobody sees the words.
fn unusual<T, E: Error>() -> Result<T, E> {
    Err(E::custom("unusual"))
}

fn or_unusual<T, E: Error>(read: Option<T>) -> Result<T, E> {
    read.map_or_else(unusual, Ok)
}

fn boxed(val: Val) -> Option<Box<Val>> {
    Some(Box::new(val))
}

/// Reads a value of a type, of so many that are left.
#[derive(Clone, Copy)]
struct Of<'a> {
    ty: &'a ValueType,
    left: &'a Cell<usize>,
}

impl<'a> Of<'a> {
    fn of(self, ty: &'a ValueType) -> Self {
        Self { ty, ..self }
    }

    fn count<E: Error>(self) -> Result<(), E> {
        let Some(left) = self.left.get().checked_sub(1) else { return unusual() };
        self.left.set(left);
        Ok(())
    }

    /// A whole number, which may stand for a float.
    fn number<E: Error>(self, number: i128, float: f64) -> Result<Val, E> {
        match self.ty {
            ValueType::Integer(integer) => or_unusual(integer.val(number)),
            _ => self.float(float),
        }
    }

    fn float<E: Error>(self, float: f64) -> Result<Val, E> {
        match self.ty {
            ValueType::F64 => Ok(Val::Float64(float)),
            ValueType::F32 => or_unusual(narrow(float)).map(Val::Float32),
            _ => unusual(),
        }
    }

    fn list<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Val>, A::Error> {
        let mut vals = Vec::new();
        while let Some(val) = items.next_element_seed(self)? {
            vals.push(val);
        }
        Ok(vals)
    }

    /// What a case carries.
    fn carried<'de, A: MapAccess<'de>>(
        self,
        ty: Option<&'a ValueType>,
        object: &mut A,
    ) -> Result<Option<Box<Val>>, A::Error> {
        match ty {
            Some(ty) => object.next_value_seed(self.of(ty)).map(boxed),
            None => object.next_value::<()>().map(|()| None),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Of<'_> {
    type Value = Val;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Val, D::Error> {
        self.count::<D::Error>()?;
        match self.ty {
            ValueType::Option(some) if !some.may_be_null() => {
                json.deserialize_option(Maybe(self.of(some)))
            }
            _ => json.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Of<'_> {
    type Value = Val;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ty.fmt(f)
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Val, E> {
        if matches!(self.ty, ValueType::Bool) { Ok(Val::Bool(bool)) } else { unusual() }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Val, E> {
        self.number(number.into(), number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Val, E> {
        self.number(number.into(), number as f64)
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Val, E> {
        self.float(float)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Val, E> {
        let owned = || text.to_owned();
        match self.ty {
            ValueType::String => Ok(Val::String(owned())),
            ValueType::Bytes => or_unusual(BASE64.decode(text).ok()).map(list),
            ValueType::Char => {
                let mut chars = text.chars();
                let only = chars.next().filter(|_| chars.next().is_none());
                or_unusual(only.map(Val::Char))
            }
            ValueType::Enum(cases) => or_unusual(cases.get(text).map(|_| Val::Enum(owned()))),
            ValueType::Variant(cases) => match cases.get(text) {
                Some((_, None)) => Ok(Val::Variant(owned(), None)),
                _ => unusual(),
            },
            ValueType::Result(None, _) if text == "ok" => Ok(Val::Result(Ok(None))),
            ValueType::Result(_, None) if text == "err" => Ok(Val::Result(Err(None))),
            _ => without_number(text).map_or_else(unusual, |float| self.float(float)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Val, E> {
        if self.ty.may_be_null() { Ok(Val::Option(None)) } else { unusual() }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Val, A::Error> {
        match self.ty {
            ValueType::List(item) => self.of(item).list(items).map(Val::List),
            ValueType::Bytes => {
                let mut bytes = Vec::new();
                while let Some(byte) = items.next_element()? {
                    bytes.push(byte);
                }
                Ok(list(bytes))
            }
            ValueType::Tuple(types) => {
                let mut vals = Vec::with_capacity(types.len());
                for ty in types {
                    let Some(val) = items.next_element_seed(self.of(ty))? else { return unusual() };
                    vals.push(val);
                }
                ended(items)?;
                Ok(Val::Tuple(vals))
            }
            ValueType::Flags(names) => {
                let mut set: Vec<String> = Vec::new();
                while let Some(name) = items.next_element::<String>()? {
                    // There are 32 at most.
                    if !names.contains(&name) || set.contains(&name) {
                        return unusual();
                    }
                    set.push(name);
                }
                Ok(Val::Flags(set))
            }
            _ => unusual(),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Val, A::Error> {
        let val = match self.ty {
            ValueType::Record(fields) => {
                return Fields::new(fields, self.left).visit_map(object).map(Val::Record);
            }
            ValueType::Variant(cases) => {
                let case = Key(|name: &str| cases.get(name));
                let Some((name, ty)) = object.next_key_seed(case)? else { return unusual() };
                Val::Variant(name.clone(), self.carried(ty.as_ref(), &mut object)?)
            }
            ValueType::Result(ok, err) => {
                let side = |name: &str| match name {
                    "ok" => Some(Ok(ok)),
                    "err" => Some(Err(err)),
                    _ => None,
                };
                Val::Result(match object.next_key_seed(Key(side))? {
                    Some(Ok(ok)) => Ok(self.carried(ok.as_deref(), &mut object)?),
                    Some(Err(err)) => Err(self.carried(err.as_deref(), &mut object)?),
                    None => return unusual(),
                })
            }
            ValueType::Option(some) => {
                let is_some = |name: &str| (name == "some").then_some(());
                let Some(()) = object.next_key_seed(Key(is_some))? else { return unusual() };
                Val::Option(self.carried(Some(some), &mut object)?)
            }
            _ => return unusual(),
        };
        // One entry is all that such an object has.
        let more: Option<IgnoredAny> = object.next_key()?;
        if more.is_some() { unusual() } else { Ok(val) }
    }
}

/// An option's value, where `null` is none of it.
struct Maybe<'a>(Of<'a>);

impl<'de> Visitor<'de> for Maybe<'_> {
    type Value = Val;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.ty.fmt(f)
    }

    fn visit_unit<E: Error>(self) -> Result<Val, E> {
        Ok(Val::Option(None))
    }

    fn visit_none<E: Error>(self) -> Result<Val, E> {
        Ok(Val::Option(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<Val, D::Error> {
        self.0.deserialize(json).map(boxed).map(Val::Option)
    }
}

/// What a key stands for, if it does.
struct Key<F>(F);

impl<'de, T, F: FnOnce(&str) -> Option<T>> DeserializeSeed<'de> for Key<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        json.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Key<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        or_unusual((self.0)(name))
    }
}

/// Nothing may come after what was read of an array.
fn ended<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    let more: Option<IgnoredAny> = items.next_element()?;
    if more.is_some() { unusual() } else { Ok(()) }
}
