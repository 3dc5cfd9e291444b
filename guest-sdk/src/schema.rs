//! JSON Schemas of Rust types, as `describe` hands them to the host.
//!
//! Schemas are written as text, and nearly all of that text is made while compiling: a package that
//! builds them as values when it runs would make a component half as large again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// A type that says what its JSON looks like.
///
/// `#[derive(Describe)]` reads what `#[serde(…)]` says; the first paragraph of a documentation is the
/// `description` of its type or field. A job whose input's type is described is not even enqueued with
/// an input that doesn't fit: the host says what is wrong, and where.
///
/// ```
/// use gristmill_guest::prelude::*;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, Describe)]
/// struct Resize {
///     /// In pixels.
///     width: u32,
///     #[serde(default)]
///     format: Format,
/// }
///
/// #[derive(Deserialize, Describe, Default)]
/// #[serde(rename_all = "lowercase")]
/// enum Format { #[default] Png, Jpeg }
///
/// #[job]
/// fn resize(input: Resize) -> JobResult {
///     Ok(())
/// }
///
/// let schema = resize::input_schema().unwrap_or_default();
/// assert!(schema.contains(r#""width":{"type":"integer","minimum":0,"maximum":4294967295,"description":"In pixels."}"#));
/// assert!(schema.contains(r#""enum":["png","jpeg"]"#));
/// assert!(schema.contains(r#""required":["width"]"#));
/// ```
///
/// No type needs it. Where the type of an input, of a field or of an item has none, that part is taken
/// as it comes, and only reading it tells whether it fits. So it is with what is flattened, and with
/// what is read by a function of its own (`#[serde(with = "…")]`).
pub trait Describe {
    /// Writes the members of its schema's object; nothing, if any value fits.
    fn members(to: &mut Schemas);
}

/// Where the schema of a type is written to, with those of the types in it.
#[derive(Default)]
pub struct Schemas {
    text: String,
    /// Types with names: those that are done, and those that are being written further out.
    named: Vec<(&'static str, Option<String>)>,
}

impl Schemas {
    /// Writes a part of a schema's text, which is JSON.
    pub fn text(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// Writes a schema as an object, with a description that is JSON or empty.
    pub fn part(&mut self, description: &str, members: fn(&mut Schemas)) {
        self.text("{");
        let start = self.text.len();
        members(self);
        if !description.is_empty() {
            self.text(if self.text.len() > start {
                ",\"description\":"
            } else {
                "\"description\":"
            });
            self.text(description);
        }
        self.text("}");
    }

    /// Writes a reference to a type of this name, which is written once.
    pub fn named(&mut self, name: &'static str, description: &str, members: fn(&mut Schemas)) {
        if self.named.iter().all(|known| known.0 != name) {
            let at = self.named.len();
            self.named.push((name, None));
            let outer = std::mem::take(&mut self.text);
            self.part(description, members);
            self.named[at].1 = Some(std::mem::replace(&mut self.text, outer));
        }
        self.text("\"$ref\":\"#/$defs/");
        self.text(name);
        self.text("\"");
    }

    /// The whole schema; none, if any value fits.
    fn finish(mut self, members: fn(&mut Schemas)) -> Option<String> {
        members(&mut self);
        if self.text.is_empty() {
            return None;
        }
        let mut whole = format!("{{{}", self.text);
        let mut before = ",\"$defs\":{\"";
        for (name, text) in &self.named {
            whole.extend([before, name, "\":", text.as_deref().unwrap_or("{}")]);
            before = ",\"";
        }
        whole.push_str(if self.named.is_empty() { "}" } else { "}}" });
        Some(whole)
    }
}

/// The schema of a type's JSON.
pub fn schema(members: fn(&mut Schemas)) -> Option<String> {
    Schemas::default().finish(members)
}

/// Asks a type for its schema, whether it has one or not: `(&&Probe::<T>::NEW).members(to)` finds
/// [`Described`] first, and [`Undescribed`] where that doesn't hold.
pub struct Probe<T: ?Sized>(PhantomData<fn() -> PhantomData<T>>);

impl<T: ?Sized> Probe<T> {
    /// One of it.
    pub const NEW: Self = Self(PhantomData);
}

/// A type that describes itself.
pub trait Described {
    /// Writes its schema's members.
    fn members(&self, to: &mut Schemas);
}

/// Any other type.
pub trait Undescribed {
    /// Writes nothing.
    fn members(&self, _to: &mut Schemas) {}
}

impl<T: Describe + ?Sized> Described for &Probe<T> {
    fn members(&self, to: &mut Schemas) {
        T::members(to);
    }
}

impl<T: ?Sized> Undescribed for Probe<T> {}

macro_rules! describe {
    ($($json:literal: $($ty:ty),+;)+) => {
        $($(impl Describe for $ty {
            fn members(to: &mut Schemas) {
                to.text($json);
            }
        })+)+
    };
}

describe! {
    r#""type":"boolean""#: bool;
    r#""type":"null""#: ();
    r#""type":"number""#: f32, f64;
    r#""type":"integer""#: i64, i128, isize;
    r#""type":"integer","minimum":-128,"maximum":127"#: i8;
    r#""type":"integer","minimum":-32768,"maximum":32767"#: i16;
    r#""type":"integer","minimum":-2147483648,"maximum":2147483647"#: i32;
    r#""type":"integer","minimum":0"#: u64, u128, usize;
    r#""type":"integer","minimum":0,"maximum":255"#: u8;
    r#""type":"integer","minimum":0,"maximum":65535"#: u16;
    r#""type":"integer","minimum":0,"maximum":4294967295"#: u32;
    r#""type":"string""#: String, str, std::path::PathBuf;
    r#""type":"string","minLength":1,"maxLength":1"#: char;
}

/// What is as its content is.
macro_rules! describe_as_content {
    ($($ty:ty),+) => {
        $(impl<T: Describe + ?Sized> Describe for $ty {
            fn members(to: &mut Schemas) {
                T::members(to);
            }
        })+
    };
}

describe_as_content!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Describe + ToOwned + ?Sized> Describe for Cow<'_, T> {
    fn members(to: &mut Schemas) {
        T::members(to);
    }
}

impl<T: Describe> Describe for Option<T> {
    fn members(to: &mut Schemas) {
        to.text("\"anyOf\":[");
        to.part("", T::members);
        to.text(",{\"type\":\"null\"}]");
    }
}

macro_rules! describe_items {
    ($($ty:ty),+) => {
        $(impl<T: Describe> Describe for $ty {
            fn members(to: &mut Schemas) {
                to.text("\"type\":\"array\",\"items\":");
                to.part("", T::members);
            }
        })+
    };
}

describe_items!([T], Vec<T>, VecDeque<T>, BTreeSet<T>);

impl<T: Describe, S> Describe for HashSet<T, S> {
    fn members(to: &mut Schemas) {
        <[T]>::members(to);
    }
}

impl<K, V: Describe> Describe for BTreeMap<K, V> {
    fn members(to: &mut Schemas) {
        to.text("\"type\":\"object\",\"additionalProperties\":");
        to.part("", V::members);
    }
}

impl<K, V: Describe, S> Describe for HashMap<K, V, S> {
    fn members(to: &mut Schemas) {
        BTreeMap::<K, V>::members(to);
    }
}

#[cfg(test)]
mod tests;
