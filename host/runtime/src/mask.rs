//! Keeps secrets out of what is shown.

use std::borrow::Cow;

/// Shorter values aren't hidden: they would be found everywhere, and hide nothing.
const HIDDEN_BYTES_MIN: usize = 4;

/// Secrets that an attempt has read, and that must not be shown.
#[derive(Debug, Default)]
pub(crate) struct Mask(Vec<Hidden>);

struct Hidden {
    value: String,
    instead: String,
}

impl Mask {
    /// Hides a secret from now on.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        // A secret of several lines would be logged line by line.
        let lines = value.lines().map(str::trim).filter(|line| line.len() >= HIDDEN_BYTES_MIN);
        for value in lines {
            if !self.0.iter().any(|hidden| hidden.value == value) {
                let instead = format!("[secret {name}]");
                self.0.push(Hidden { value: value.to_owned(), instead });
            }
        }
        // The longest first: one secret may be a part of another.
        self.0.sort_by_key(|hidden| std::cmp::Reverse(hidden.value.len()));
    }

    /// The same for a text that is the caller's own.
    pub(crate) fn hide_in(&self, text: String) -> String {
        match self.hide(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => hidden,
        }
    }

    /// A text without the secrets in it.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut shown = Cow::Borrowed(text);
        for Hidden { value, instead } in &self.0 {
            if shown.contains(value.as_str()) {
                shown = Cow::Owned(shown.replace(value.as_str(), instead));
            }
        }
        shown
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.instead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_line_by_line_and_the_longest_first() {
        let mut mask = Mask::default();
        mask.add("short", "abc");
        mask.add("key", "hunter2");
        mask.add("long", "hunter22\nsecond line\n");
        assert_eq!(mask.hide("abc hunter2 hunter22"), "abc [secret key] [secret long]");
        assert_eq!(mask.hide("the second line"), "the [secret long]");
        assert!(matches!(mask.hide("nothing"), Cow::Borrowed("nothing")));
        assert!(!format!("{mask:?}").contains("hunter"));
    }
}
