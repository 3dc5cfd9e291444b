//! Walks through keys: by prefix, and through all of them.
//!
//! The server's scan gives keys in steps, of which each is short however many keys there are. It may
//! give more than were asked for at one time; a page's cursor carries those.

use anyhow::Context as _;
use gristmill_redis::{Repeat, Reply, scanned};
use redis::{Pipeline, cmd};

use super::keys::starting_with;
use super::{RedisCache, count};
use crate::{Cursor, Error, Page, Space};

/// Keys that one step looks at, about: a fraction of a millisecond for the server.
const STEP_KEYS: usize = 1_000;
/// Steps that one page takes: it may be short, or empty, and yet not the last.
const PAGE_STEPS: usize = 16;
/// Keys that are counted for statistics, about; beyond them the rest is estimated, so that statistics
/// never take long.
const COUNTED_KEYS: u64 = 50_000;

/// Where a scan begins and ends.
const START: &[u8] = b"0";

impl RedisCache {
    pub(super) async fn clear_all(&self, space: &Space, prefix: &str) -> Result<u64, Error> {
        let start = format!("{}{prefix}", self.keys.space(space));
        let mut cursor = START.to_vec();
        let mut cleared = 0;
        loop {
            let (next, found) = self.step(&cursor, &start).await?;
            if !found.is_empty() {
                let mut remove = cmd("UNLINK");
                remove.arg(found);
                cleared += self.count(self.tell(&remove).await?)?;
            }
            if next == START {
                return Ok(cleared);
            }
            cursor = next;
        }
    }

    pub(super) async fn page(
        &self,
        space: &Space,
        prefix: &str,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        let space = self.keys.space(space);
        let start = format!("{space}{prefix}");
        let Some(Place { mut server, mut keys }) =
            cursor.map_or(Some(Place::start()), |Cursor(text)| Place::read(&text))
        else {
            // What isn't a cursor of ours leads nowhere.
            return Ok(Page::default());
        };
        for _ in 0..PAGE_STEPS {
            if keys.len() >= limit {
                break;
            }
            let Some(from) = server.take() else { break };
            let (next, found) = self.step(from.as_bytes(), &start).await?;
            keys.extend(
                found.into_iter().filter_map(|key| key.get(space.len()..).map(str::to_owned)),
            );
            let next = String::from_utf8(next).context("a cursor is no text");
            server = Some(self.understood(next)?).filter(|next| next.as_bytes() != START);
        }
        let rest = keys.split_off(keys.len().min(limit));
        let is_last = server.is_none() && rest.is_empty();
        let cursor = (!is_last).then(|| Place { server, keys: rest }.write());
        Ok(Page { keys, cursor })
    }

    /// How many entries there are, and how many bytes of keys and values.
    pub(super) async fn size(&self) -> Result<(u64, u64), Error> {
        let start = self.keys.entries();
        let (mut entries, mut bytes, mut looked_at) = (0_u64, 0_u64, 0_u64);
        let mut cursor = START.to_vec();
        loop {
            let (next, found) = self.step(&cursor, &start).await?;
            looked_at += STEP_KEYS as u64;
            entries += found.len() as u64;
            bytes += self.weigh(&found).await?;
            if next == START {
                return Ok((entries, bytes));
            }
            if looked_at >= COUNTED_KEYS {
                break;
            }
            cursor = next;
        }
        let all = self.count(self.ask(&cmd("DBSIZE")).await?)?.max(looked_at);
        let share = |part: u64| part.saturating_mul(all) / looked_at;
        Ok((share(entries), share(bytes)))
    }

    /// The bytes of keys and values of these entries.
    async fn weigh(&self, entries: &[String]) -> Result<u64, Error> {
        if entries.is_empty() {
            return Ok(0);
        }
        let mut lengths = Pipeline::new();
        for entry in entries {
            lengths.cmd("STRLEN").arg(entry);
        }
        let values = self.link.pipeline(&lengths, Repeat::Once).await?;
        let values: anyhow::Result<u64> = values.into_iter().map(count).sum();
        let keys = entries.iter().filter_map(|entry| {
            let (_, key) = entry.split_once("}:")?;
            Some(key.len() as u64)
        });
        Ok(self.understood(values)? + keys.sum::<u64>())
    }

    /// What the server says of itself, in one line.
    pub(super) async fn note(&self) -> Result<String, Error> {
        let mut all = Pipeline::new();
        for section in ["server", "memory"] {
            all.cmd("INFO").arg(section);
        }
        let mut text = String::new();
        for section in self.link.pipeline(&all, Repeat::Once).await? {
            text += &String::from_utf8_lossy(&self.understood(gristmill_redis::bytes(section))?);
        }
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or("?").trim()
        };
        let max = match value("maxmemory") {
            "0" => "no limit",
            _ => value("maxmemory_human"),
        };
        Ok(format!(
            "{} at {}: {} used of {max}, {}",
            value("redis_version"),
            self.link.address(),
            value("used_memory_human"),
            value("maxmemory_policy"),
        ))
    }

    /// One step of the server's scan: the next cursor, and the keys that begin as they should.
    async fn step(&self, cursor: &[u8], start: &str) -> Result<(Vec<u8>, Vec<String>), Error> {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(starting_with(start)).arg("COUNT").arg(STEP_KEYS);
        let value = self.ask(&scan).await?;
        let (next, found) = self.understood(Reply::new(value).and_then(scanned))?;
        // Keys of ours are text; the pattern is checked, since other keys must not be touched.
        let ours = found.into_iter().filter_map(|key| String::from_utf8(key).ok());
        Ok((next, ours.filter(|key| key.starts_with(start)).collect()))
    }
}

/// Where a scan by pages is: with the server, and with what it gave beyond the last page.
struct Place {
    /// None: the server has no more.
    server: Option<String>,
    keys: Vec<String>,
}

impl Place {
    fn start() -> Self {
        Self { server: Some("0".to_owned()), keys: Vec::new() }
    }

    /// The server's cursor, if it has one, and each key behind its length.
    fn write(&self) -> Cursor {
        let mut text = self.server.clone().unwrap_or_default();
        for key in &self.keys {
            text += &format!(" {}:{key}", key.len());
        }
        Cursor(text)
    }

    fn read(text: &str) -> Option<Self> {
        let (server, mut rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
        if !server.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let mut keys = Vec::new();
        while let Some(after) = rest.strip_prefix(' ') {
            let (length, after) = after.split_once(':')?;
            let (key, after) = after.split_at_checked(length.parse().ok()?)?;
            keys.push(key.to_owned());
            rest = after;
        }
        let server = Some(server.to_owned()).filter(|server| !server.is_empty());
        rest.is_empty().then_some(Self { server, keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_carries_any_keys() {
        for keys in [vec![], vec!["a".to_owned()], vec![" 3:x ".to_owned(), "ü:7".to_owned()]] {
            for server in [None, Some("17".to_owned())] {
                let place = Place { server, keys: keys.clone() };
                let Cursor(text) = place.write();
                let read = Place::read(&text).unwrap();
                assert_eq!((read.server, read.keys), (place.server, keys.clone()), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_told_from_one() {
        for text in ["x", "1 ", "1 2", "1 9:a", "1 a:b", "1 1:ab", "-1"] {
            assert!(Place::read(text).is_none(), "{text}");
        }
    }
}
