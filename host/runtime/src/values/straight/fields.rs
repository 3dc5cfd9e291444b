//! Fields of a record and parameters of a function: each value to its name, whatever the order.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use wasmtime::component::Val;

use super::{Key, Of, ended, unusual};
use crate::values::ValueType;

/// Fields that are looked through for one that isn't at its place, and of which a bit each says whether they
/// have come: in a record of more, whose fields come in another order, looking would take the time of their
/// square.
const SEARCHED_MAX: usize = u64::BITS as usize;

/// Where a field's value is put: alone, or beside its name.
pub(super) trait Slot {
    fn new(name: &str) -> Self;
    fn put(&mut self, val: Val);
}

/// What is in a slot until its value comes.
const NOTHING: Val = Val::Option(None);

impl Slot for Val {
    fn new(_: &str) -> Self {
        NOTHING
    }

    fn put(&mut self, val: Val) {
        *self = val;
    }
}

impl Slot for (String, Val) {
    fn new(name: &str) -> Self {
        (name.to_owned(), NOTHING)
    }

    fn put(&mut self, val: Val) {
        self.1 = val;
    }
}

/// The values of fields, in their order, from an object or from an array of all of them.
pub(super) struct Fields<'a, S> {
    fields: &'a [(String, ValueType)],
    left: &'a Cell<usize>,
    slots: PhantomData<S>,
}

impl<'a, S: Slot> Fields<'a, S> {
    pub(super) fn new(fields: &'a [(String, ValueType)], left: &'a Cell<usize>) -> Self {
        Self { fields, left, slots: PhantomData }
    }

    fn of(&self, ty: &'a ValueType) -> Of<'a> {
        Of { ty, left: self.left }
    }

    fn slots(&self) -> Vec<S> {
        self.fields.iter().map(|(name, _)| S::new(name)).collect()
    }

    /// Where a field is; most come in their order.
    fn at(&self, name: &str, expected: usize) -> Option<usize> {
        let is = |field: &(String, ValueType)| field.0 == name;
        if self.fields.get(expected).is_some_and(is) {
            return Some(expected);
        }
        let searched = (self.fields.len() <= SEARCHED_MAX).then_some(self.fields)?;
        searched.iter().position(is)
    }

    /// Those that are left out have to be options.
    fn left_out<E: Error>(&self, came: impl Fn(usize) -> bool) -> Result<(), E> {
        for (_, (_, ty)) in self.fields.iter().enumerate().filter(|(at, _)| !came(*at)) {
            match ty {
                ValueType::Option(_) => self.of(ty).count()?,
                _ => return unusual(),
            }
        }
        Ok(())
    }
}

impl<'de, S: Slot> DeserializeSeed<'de> for Fields<'_, S> {
    type Value = Vec<S>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<S>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, S: Slot> Visitor<'de> for Fields<'_, S> {
    type Value = Vec<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<S>, A::Error> {
        let mut slots = self.slots();
        for (slot, (_, ty)) in slots.iter_mut().zip(self.fields) {
            let Some(val) = items.next_element_seed(self.of(ty))? else { return unusual() };
            slot.put(val);
        }
        ended(items)?;
        Ok(slots)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Vec<S>, A::Error> {
        let mut slots = self.slots();
        let (mut came, mut expected) = (0_u64, 0);
        while let Some(at) = object.next_key_seed(Key(|name: &str| self.at(name, expected)))? {
            // Where there are more, each is the one after the last.
            if at < SEARCHED_MAX {
                let bit = 1 << at;
                if came & bit != 0 {
                    return unusual();
                }
                came |= bit;
            }
            slots[at].put(object.next_value_seed(self.of(&self.fields[at].1))?);
            expected = at + 1;
        }
        let is_searched = self.fields.len() <= SEARCHED_MAX;
        self.left_out(|at| if is_searched { came & (1 << at) != 0 } else { at < expected })?;
        Ok(slots)
    }
}
