//! What a server keeps of a shelf, taken apart.

use anyhow::{Context as _, Result, anyhow, bail};
use gristmill_job::{Digest, PluginName};
use gristmill_redis::{Reply, bytes};
use redis::Value;

use crate::{About, Listing, Shelved};

/// What is said of a version, as it is kept: JSON, so that other programs can read it.
pub(super) fn written(about: &About) -> Vec<u8> {
    // Texts and values of JSON always have a form.
    serde_json::to_vec(about).unwrap_or_default()
}

pub(super) fn about(value: Value) -> Result<About> {
    serde_json::from_slice(&bytes(value)?).context("what is said of it can't be read")
}

/// What the script says, and the number that it says it with.
pub(super) fn published(value: Value) -> Result<(Vec<u8>, u64)> {
    let mut reply = Reply::new(value)?;
    Ok((reply.bytes()?, reply.count()?))
}

/// How often the shelf was changed, and the versions of all plugins. What a change between the two leaves
/// is the newer versions with the older number: the next look has both.
pub(super) fn listing(answers: Vec<Value>) -> Result<Listing> {
    let [serial, versions_of_all] = <[Value; 2]>::try_from(answers)
        .map_err(|answers| anyhow!("{} answers to two questions", answers.len()))?;
    let serial = match serial {
        Value::Nil => 0,
        value => String::from_utf8(bytes(value)?)?.parse()?,
    };
    let mut reply = Reply::new(versions_of_all)?;
    let mut listing = Listing { serial, ..Listing::default() };
    while !reply.is_empty() {
        let name = String::from_utf8(reply.bytes()?)?;
        let versions = versions(reply.part()?)?;
        listing.plugins.insert(PluginName::new(&name)?, versions);
    }
    Ok(listing)
}

/// The versions of one plugin.
pub(super) fn versions(value: Value) -> Result<Vec<Shelved>> {
    if value == Value::Nil {
        return Ok(Vec::new());
    }
    let text = String::from_utf8(bytes(value)?)?;
    text.split(' ').map(shelved).collect()
}

fn shelved(text: &str) -> Result<Shelved> {
    let Some((digest, serial)) = text.split_once('@') else { bail!("{text:?} is no version") };
    Ok(Shelved { digest: digest.parse::<Digest>()?, serial: serial.parse()? })
}
