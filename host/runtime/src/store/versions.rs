//! The versions of one plugin: which one serves, which served before, and what is wrong with the next.

use std::collections::VecDeque;

use gristmill_job::Digest;
use gristmill_shelf::Shelved;

use super::source::Mark;
use crate::plugin::{Plugin, WeakPlugin};

/// Versions of a plugin that are kept after the one that serves, for jobs that want exactly them: the
/// last one, for jobs that were enqueued before a take-over, and the one before it, for a take-over that
/// was mended by another. Older ones stay only as long as a job runs on them.
const PREVIOUS_VERSIONS_MAX: usize = 2;

/// Versions that were fetched from the shelf because a job wanted exactly them, and are kept beside the
/// others for the next such job: as many as the shelf has beside the one that serves.
const FETCHED_VERSIONS_MAX: usize = gristmill_shelf::limits::VERSIONS_MAX - 1;

/// Where what serves comes from. What comes first in this order is what serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Origin {
    /// Somebody put it in by hand.
    Hand,
    /// The plugins folder.
    #[default]
    Folder,
    /// The fleet's shelf.
    Shelf,
}

/// The versions of one plugin.
#[derive(Default)]
pub(super) struct Versions {
    serving: Option<Plugin>,
    origin: Origin,
    /// The newest first.
    previous: VecDeque<Plugin>,
    /// Those that jobs wanted, the last one first.
    fetched: VecDeque<Plugin>,
    /// All that ever served and may still run.
    superseded: Vec<WeakPlugin>,
    /// The files of the last look, whether they could be used or not.
    mark: Option<Mark>,
    /// Whether they were read when they had had these marks for a while. What is written within one
    /// tick of the file system's clock may look the same before and after.
    confirmed: bool,
    /// What is wrong with these files.
    fault: Option<String>,
    /// The component that it is wrong with, where no manifest could mend it.
    refused: Option<Digest>,
    /// What was last tried of the shelf, whether it could be used or not.
    shelved: Option<Shelved>,
}

/// What publishing a version changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// Nothing: what serves comes from where it comes first.
    Outranked,
    /// Nothing: it is what served.
    Same,
    /// It is what served, after files that couldn't be used.
    Mended,
    /// It is what served, with another manifest.
    Regranted,
    /// Nothing served.
    First,
    /// Another version served, of this digest.
    TookOver(Digest),
}

impl Versions {
    pub(super) fn serving(&self) -> Option<&Plugin> {
        self.serving.as_ref()
    }

    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(super) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Whether files of this mark are to be read.
    pub(super) fn is_due(&self, mark: Option<Mark>) -> bool {
        !self.is_by_hand() && (mark.is_none() || mark != self.mark || !self.confirmed)
    }

    /// What is wrong with this component, if that is known already.
    pub(super) fn known_fault(&self, digest: Digest) -> Option<&str> {
        self.fault().filter(|_| self.refused == Some(digest))
    }

    pub(super) fn is_by_hand(&self) -> bool {
        self.origin == Origin::Hand
    }

    /// Where it comes from, whether it can be used or not.
    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether there is anything of it that comes before the shelf's.
    pub(super) fn hides_the_shelf(&self) -> bool {
        let is_there = self.serving.is_some() || self.fault.is_some();
        self.origin < Origin::Shelf && is_there
    }

    pub(super) fn shelved(&self) -> Option<Shelved> {
        self.shelved
    }

    /// What the shelf has can't be used; it need not be tried again where that is its own doing.
    pub(super) fn fail_shelved(&mut self, tried: Option<Shelved>) {
        if self.serving.is_none() {
            self.origin = Origin::Shelf;
        }
        self.shelved = tried.or(self.shelved);
    }

    /// Its files are gone, and what was wrong with them; what serves came from elsewhere.
    pub(super) fn forget_files(&mut self) {
        if self.mark.take().is_some() {
            (self.fault, self.refused) = (None, None);
        }
    }

    /// The version of this digest.
    pub(super) fn of(&self, digest: Digest) -> Option<Plugin> {
        let mut kept = self.serving.iter().chain(&self.previous).chain(&self.fetched);
        let mut running = self.superseded.iter().rev().filter_map(WeakPlugin::upgrade);
        let kept = kept.find(|plugin| plugin.digest() == digest).cloned();
        kept.or_else(|| running.find(|plugin| plugin.digest() == digest))
    }

    /// All versions, the newest first.
    pub(super) fn all(&self) -> Vec<Plugin> {
        let mut all: Vec<Plugin> = self.serving.iter().chain(&self.previous).cloned().collect();
        let running = self.superseded.iter().rev().filter_map(WeakPlugin::upgrade);
        for running in self.fetched.iter().cloned().chain(running) {
            if !all.iter().any(|plugin| plugin.digest() == running.digest()) {
                all.push(running);
            }
        }
        all
    }

    /// Puts a version in by hand: from now on, files don't matter.
    pub(super) fn insert(&mut self, plugin: Plugin) {
        self.origin = Origin::Hand;
        (self.mark, self.fault, self.refused) = (None, None, None);
        self.serve(plugin);
    }

    /// Lets a version from these files serve.
    pub(super) fn publish(&mut self, plugin: Plugin, mark: Mark) -> Published {
        if self.is_by_hand() {
            return Published::Outranked;
        }
        self.see(Some(mark));
        self.origin = Origin::Folder;
        self.take(plugin)
    }

    /// Lets a version from the shelf serve.
    pub(super) fn stock(&mut self, plugin: Plugin, shelved: Shelved) -> Published {
        if self.hides_the_shelf() {
            return Published::Outranked;
        }
        (self.origin, self.shelved) = (Origin::Shelf, Some(shelved));
        self.take(plugin)
    }

    /// Keeps a version that a job wants and that doesn't serve.
    pub(super) fn keep(&mut self, plugin: Plugin) {
        if self.serving.is_none() && self.fault.is_none() {
            self.origin = Origin::Shelf;
        }
        self.superseded.retain(|version| version.upgrade().is_some());
        self.superseded.push(plugin.downgrade());
        self.fetched.push_front(plugin);
        self.fetched.truncate(FETCHED_VERSIONS_MAX);
    }

    fn take(&mut self, plugin: Plugin) -> Published {
        self.refused = None;
        let was_faulty = self.fault.take().is_some();
        let digest = plugin.digest();
        match &self.serving {
            Some(serving) if serving.is(&plugin) && was_faulty => Published::Mended,
            Some(serving) if serving.is(&plugin) => Published::Same,
            _ => match self.serve(plugin) {
                None => Published::First,
                Some(old) if old == digest => Published::Regranted,
                Some(old) => Published::TookOver(old),
            },
        }
    }

    /// Keeps what is wrong with these files; whether that is news.
    pub(super) fn set_fault(
        &mut self,
        fault: String,
        mark: Option<Mark>,
        refused: Option<Digest>,
    ) -> bool {
        if self.is_by_hand() {
            return false;
        }
        self.see(mark);
        self.refused = refused;
        self.fault.replace(fault.clone()).is_none_or(|known| known != fault)
    }

    fn see(&mut self, mark: Option<Mark>) {
        self.confirmed = mark == self.mark;
        self.mark = mark;
    }

    /// Answers with the digest of what served.
    fn serve(&mut self, plugin: Plugin) -> Option<Digest> {
        let digest = plugin.digest();
        self.previous.retain(|previous| previous.digest() != digest);
        self.fetched.retain(|fetched| fetched.digest() != digest);
        let old = self.serving.replace(plugin)?;
        self.superseded.retain(|version| version.upgrade().is_some());
        let replaced = old.digest();
        // With another manifest alone, what served is no version of its own.
        if replaced != digest {
            self.superseded.push(old.downgrade());
            self.previous.push_front(old);
            self.previous.truncate(PREVIOUS_VERSIONS_MAX);
        }
        Some(replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_again_once_after_their_marks_have_changed() {
        let dir = tempfile::tempdir().unwrap();
        let mark = |content: &str| {
            let path = dir.path().join("mill.wasm");
            std::fs::write(&path, content).unwrap();
            Mark::of(&path).ok()
        };
        let mut versions = Versions::default();
        let first = mark("a");
        assert!(versions.is_due(first), "never read");
        versions.set_fault("no component".to_owned(), first, None);
        assert!(versions.is_due(first), "read when it was just written, perhaps");
        versions.set_fault("no component".to_owned(), first, None);
        assert!(!versions.is_due(first), "read twice");
        assert!(versions.is_due(mark("longer")), "changed");
        assert!(versions.is_due(None), "can't be looked at");
    }
}
