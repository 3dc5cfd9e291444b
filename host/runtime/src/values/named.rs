//! Names with what stands behind them, in their order, found without looking at all of them.

use serde::{Deserialize, Serialize, Serializer};

/// Cases of a type may be thousands, and an input may name one in each of its values.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Vec<(String, T)>")]
pub(crate) struct Named<T> {
    entries: Vec<(String, T)>,
    /// Where they are, in the order of their names.
    by_name: Vec<usize>,
}

impl<T> Named<T> {
    /// The name as it is kept, and what stands behind it.
    pub(crate) fn get(&self, name: &str) -> Option<&(String, T)> {
        let at = self.by_name.binary_search_by(|at| self.entries[*at].0.as_str().cmp(name)).ok()?;
        Some(&self.entries[self.by_name[at]])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, T)> {
        self.entries.iter()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<T> From<Vec<(String, T)>> for Named<T> {
    fn from(entries: Vec<(String, T)>) -> Self {
        entries.into_iter().collect()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by(|left, right| entries[*left].0.cmp(&entries[*right].0));
        Self { entries, by_name }
    }
}
