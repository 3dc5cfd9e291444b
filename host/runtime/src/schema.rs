//! JSON Schemas of inputs, and what is wrong with an input by them.
//!
//! A schema comes from a plugin and an input from a producer, so neither is trusted: whatever the two
//! are, holding one against the other ends, in time in proportion to the input's bytes, and on a stack
//! of bounded depth. A package that checks all that the standard knows does neither: a chain of
//! references overflows its stack, which ends the process, and thirty schemas that each name the next
//! one twice keep it busy for minutes.
//!
//! What is read is draft 2020-12, and of draft 7 what is still written. What would have to be fetched
//! (`$ref` to anywhere else) or depends on how it was reached (`$dynamicRef`, `unevaluated…`) is an
//! error when the plugin is loaded: a rule that isn't kept should not look as if it were.

use std::fmt;
use std::sync::Arc;

use serde_json::{Number, Value};

use crate::misfit::Fault;
use pattern::Pattern;

mod check;
mod compile;
mod pattern;
mod values;

/// Steps that checking an input takes without regard to its size. A step is some tens of nanoseconds.
const STEPS_MIN: u64 = 1_000_000;
/// Steps for each byte of an input: a union of fifty forms takes about as many for its smallest value.
const STEPS_PER_BYTE: u64 = 32;
/// Schemas within schemas that are looked into at one time. An input is at most 128 deep, and each of
/// them takes a kilobyte of the stack, which may be the fiber's of a guest that enqueues a job.
const DEPTH_MAX: usize = 256;

/// A JSON Schema, compiled. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Schema(Arc<[Form]>);

/// Where a form is among those of its schema; the root is the first.
type Place = usize;

/// A schema or one within it.
#[derive(Debug)]
enum Form {
    /// `true`.
    Anything,
    /// `false`.
    Nothing,
    /// All of these hold.
    Rules(Vec<Rule>),
}

/// A keyword, or several that only say something together.
#[derive(Debug)]
enum Rule {
    Types(Vec<Type>),
    OneOfValues(Vec<Value>),
    MultipleOf(Number),
    Bound(Bound, Number),
    Size(Size, u64),
    Pattern(Pattern),
    Items {
        first: Vec<Place>,
        rest: Option<Place>,
    },
    Contains {
        form: Place,
        min: u64,
        max: Option<u64>,
    },
    UniqueItems,
    Properties(Properties),
    PropertyNames(Place),
    /// Each of these keys has to be there; those of a pair only if its first is.
    Required(Option<String>, Vec<String>),
    /// The form holds if this key is there.
    Dependent(String, Place),
    All(Vec<Place>),
    Any(Vec<Place>),
    One(Vec<Place>),
    Not(Place),
    If {
        condition: Place,
        then: Option<Place>,
        otherwise: Option<Place>,
    },
}

#[derive(Debug, Default)]
struct Properties {
    named: Vec<(String, Place)>,
    fitting: Vec<(Pattern, Place)>,
    others: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    MoreThan,
    AtMost,
    LessThan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    LengthMin,
    LengthMax,
    ItemsMin,
    ItemsMax,
    PropertiesMin,
    PropertiesMax,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// What of it can't be read, and where.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        compile::compile(schema).map(Self)
    }

    /// Holds an input against it, which was read from so many bytes.
    ///
    /// # Errors
    /// The first few things that are wrong with it.
    pub(crate) fn check(&self, input: &Value, bytes: usize) -> Result<(), Vec<Fault>> {
        let steps = STEPS_MIN.saturating_add(STEPS_PER_BYTE.saturating_mul(bytes as u64));
        check::check(&self.0, input, steps)
    }
}

/// What it was made from is compared where it is kept.
impl PartialEq for Schema {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// What it was made from says more.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} forms)", self.0.len())
    }
}

#[cfg(test)]
mod tests;
