//! Under which keys a cache is kept.

use crate::{Key, Space};

/// The keys of all spaces with one prefix. A space's keys share a hash tag, so that on a cluster they
/// are in one place.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The schema of all keys.
    pub(super) fn schema(&self) -> String {
        format!("{}:c:schema", self.prefix)
    }

    /// How many lookups found something, and how many didn't.
    pub(super) fn lookups(&self) -> String {
        format!("{}:c:lookups", self.prefix)
    }

    /// What the channels begin with by which processes are told of values that they wait for.
    pub(super) fn bells(&self) -> String {
        format!("{}:bell:", self.prefix)
    }

    /// What the keys of all entries begin with.
    pub(super) fn entries(&self) -> String {
        format!("{}:c:{{", self.prefix)
    }

    /// What the keys of a space's entries begin with.
    pub(super) fn space(&self, space: &Space) -> String {
        format!("{}:c:{{{space}}}:", self.prefix)
    }

    /// An entry.
    pub(super) fn entry(&self, space: &Space, key: &Key) -> String {
        format!("{}:c:{}", self.prefix, place(space, key))
    }

    /// The token of the reservation of a place.
    pub(super) fn flight(&self, space: &Space, key: &Key) -> String {
        format!("{}:f:{}", self.prefix, place(space, key))
    }

    /// Which processes wait for a place.
    pub(super) fn waiting(&self, space: &Space, key: &Key) -> String {
        format!("{}:w:{}", self.prefix, place(space, key))
    }
}

/// A place by name: no space's name holds a brace, so that no two places share one.
pub(super) fn place(space: &Space, key: &Key) -> String {
    format!("{{{space}}}:{}", key.as_str())
}

/// The pattern of texts that begin with this one.
pub(super) fn starting_with(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if r"*?[]\^-".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('*');
    pattern
}
