//! Guests that the tests run, most of which misbehave on purpose: one file in `examples/` is one
//! component, whose function goes by the file's name unless the file says otherwise.

pub mod keyvalue;

use serde::{Deserialize, Serialize};

/// Calls that a test wants made, one after another, whatever comes of each.
#[derive(Deserialize)]
pub struct Plan {
    /// The bucket to make them in.
    pub bucket: String,
    /// Each the name of an operation with its arguments.
    pub calls: Vec<Vec<String>>,
}

/// What a call answered, or its error in words.
pub type Answer = Result<serde_json::Value, String>;

impl Plan {
    /// Makes the calls: each with its operation, its first argument and its second, which are empty
    /// where the plan leaves them out.
    pub fn make<E: ToString>(
        &self,
        mut call: impl FnMut(&str, &str, &str) -> Result<serde_json::Value, E>,
    ) -> Vec<Answer> {
        let part = |call: &[String], at: usize| call.get(at).cloned().unwrap_or_default();
        let calls = self.calls.iter();
        let make = |words: &Vec<String>| {
            call(&part(words, 0), &part(words, 1), &part(words, 2)).map_err(|e| e.to_string())
        };
        calls.map(make).collect()
    }
}

/// The JSON value of whatever a call answered.
pub fn json(value: impl Serialize) -> serde_json::Value {
    serde_json::json!(value)
}
