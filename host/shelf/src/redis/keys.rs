//! Under which keys a shelf is kept.

use gristmill_job::{Digest, PluginName};

/// The keys of a shelf. All of them share a hash tag, so that on a cluster one script reaches all; only
/// the schema stands alone.
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
        format!("{}:p:schema", self.prefix)
    }

    /// The channel on which changes are told.
    pub(super) fn bell(&self) -> String {
        format!("{}:p:bell", self.prefix)
    }

    /// How often the shelf was changed.
    pub(super) fn serial(&self) -> String {
        self.of("serial")
    }

    /// Name → versions, the one that serves first: `DIGEST@SERIAL`, set apart by blanks.
    pub(super) fn versions(&self) -> String {
        self.of("versions")
    }

    /// [`about_field`] → what is said of a version.
    pub(super) fn about(&self) -> String {
        self.of("about")
    }

    /// Digest → component.
    pub(super) fn components(&self) -> String {
        self.of("components")
    }

    /// The keys of all scripts, in their order.
    pub(super) fn all(&self) -> Vec<Vec<u8>> {
        [self.serial(), self.versions(), self.about(), self.components(), self.of("uses")]
            .into_iter()
            .map(String::into_bytes)
            .collect()
    }

    fn of(&self, part: &str) -> String {
        format!("{}:p:{{shelf}}:{part}", self.prefix)
    }
}

/// A version among those of all plugins: of one component there may be several with other names.
pub(super) fn about_field(name: &PluginName, digest: Digest) -> String {
    format!("{name} {digest}")
}
