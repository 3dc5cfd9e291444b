//! The shelf on a Redis server: what is put there is there whole, in a bounded number, and once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use bytes::Bytes;
use gristmill_job::{Digest, PluginName};
use gristmill_shelf::redis::Options;
use gristmill_shelf::{About, Error, RedisShelf, Release, Shelf as _, limits};
use gristmill_test_redis::RedisServer;
use tokio::task::JoinSet;

/// How long a test waits for what should happen soon.
const PATIENCE: Duration = Duration::from_secs(20);

fn shelf(server: &RedisServer) -> RedisShelf {
    RedisShelf::new(server.url().parse().unwrap()).unwrap()
}

fn name(text: &str) -> PluginName {
    PluginName::new(text).unwrap()
}

fn bytes(version: u32) -> Bytes {
    Bytes::from(format!("component {version}"))
}

fn digest(version: u32) -> Digest {
    Digest::of(&bytes(version))
}

fn release(plugin: &str, version: u32) -> Release {
    let about = About { manifest: None, description: format!("version {version}") };
    Release { name: name(plugin), component: bytes(version), about }
}

/// What is in one of the shelf's hashes.
fn fields(server: &RedisServer, hash: &str) -> Vec<String> {
    let answer = server.command(&["HKEYS", &format!("gristmill:p:{{shelf}}:{hash}")]).unwrap();
    let mut fields: Vec<String> = answer.lines().map(str::to_owned).collect();
    fields.sort();
    fields
}

#[tokio::test]
async fn a_version_is_fetched_as_it_was_put_there() {
    let server = RedisServer::start();
    let (here, there) = (shelf(&server), shelf(&server));
    let mut release = release("mill", 1);
    release.about.manifest = Some("version = '1'\n".to_owned());
    let shelved = here.publish(&release).await.unwrap();
    assert_eq!(shelved.digest, digest(1));
    assert_eq!(there.list().await.unwrap().current(&name("mill")), Some(shelved));
    assert_eq!(there.versions(&name("mill")).await.unwrap(), [shelved]);
    let version = there.fetch(&name("mill"), digest(1)).await.unwrap().unwrap();
    assert_eq!((version.component, version.about), (bytes(1), release.about));
    assert!(there.fetch(&name("mill"), digest(2)).await.unwrap().is_none());
    assert!(there.fetch(&name("other"), digest(1)).await.unwrap().is_none());
    assert!(there.versions(&name("other")).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_newest_serves_and_the_oldest_go() {
    let server = RedisServer::start();
    let shelf = shelf(&server);
    for version in 0..6 {
        shelf.publish(&release("mill", version)).await.unwrap();
    }
    let versions = shelf.versions(&name("mill")).await.unwrap();
    let digests: Vec<Digest> = versions.iter().map(|shelved| shelved.digest).collect();
    assert_eq!(digests, [5, 4, 3, 2].map(digest));
    assert_eq!(digests.len(), limits::VERSIONS_MAX);
    for hash in ["components", "uses", "about"] {
        assert_eq!(fields(&server, hash).len(), limits::VERSIONS_MAX, "{hash}");
    }
    // One of the last that is put there again serves again, and none is lost for it.
    shelf.publish(&release("mill", 3)).await.unwrap();
    let versions = shelf.versions(&name("mill")).await.unwrap();
    let digests: Vec<Digest> = versions.iter().map(|shelved| shelved.digest).collect();
    assert_eq!(digests, [3, 5, 4, 2].map(digest));
}

#[tokio::test]
async fn another_manifest_is_no_version_of_its_own_and_is_told_by_its_serial() {
    let server = RedisServer::start();
    let shelf = shelf(&server);
    let first = shelf.publish(&release("mill", 1)).await.unwrap();
    let mut regranted = release("mill", 1);
    regranted.about.manifest = Some("version = '2'".to_owned());
    let second = shelf.publish(&regranted).await.unwrap();
    assert!(second.serial > first.serial);
    assert_eq!(shelf.versions(&name("mill")).await.unwrap(), [second]);
    let about = shelf.about(&name("mill"), digest(1)).await.unwrap();
    assert_eq!(about, Some(regranted.about));
}

#[tokio::test]
async fn a_component_is_kept_as_long_as_any_plugin_has_it() {
    let server = RedisServer::start();
    let shelf = shelf(&server);
    shelf.publish(&release("mill", 1)).await.unwrap();
    shelf.publish(&release("twin", 1)).await.unwrap();
    assert_eq!(fields(&server, "components").len(), 1);
    assert!(shelf.remove(&name("mill")).await.unwrap());
    assert!(shelf.fetch(&name("twin"), digest(1)).await.unwrap().is_some());
    for version in 2..6 {
        shelf.publish(&release("mill", version)).await.unwrap();
    }
    assert!(shelf.remove(&name("twin")).await.unwrap());
    assert!(!shelf.remove(&name("twin")).await.unwrap());
    let left: Vec<String> = (2..6).map(|version| digest(version).to_string()).collect();
    let mut kept = fields(&server, "components");
    kept.retain(|digest| !left.contains(digest));
    assert!(kept.is_empty(), "{kept:?}");
    assert!(shelf.remove(&name("mill")).await.unwrap());
    for hash in ["versions", "components", "uses", "about"] {
        assert!(fields(&server, hash).is_empty(), "{hash}");
    }
}

#[tokio::test]
async fn what_is_damaged_is_refused_until_it_is_pushed_again() {
    let server = RedisServer::start();
    let shelf = shelf(&server);
    shelf.publish(&release("mill", 1)).await.unwrap();
    let components = "gristmill:p:{shelf}:components";
    let key = digest(1).to_string();
    server.command(&["HSET", components, &key, "rotten"]).unwrap();
    let error = shelf.fetch(&name("mill"), digest(1)).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&Digest::of(b"rotten").to_string()), "{error}");
    server.command(&["HDEL", components, &key]).unwrap();
    let error = shelf.fetch(&name("mill"), digest(1)).await.unwrap_err();
    assert!(error.to_string().contains("its component isn't there"), "{error}");
    server.command(&["HSET", "gristmill:p:{shelf}:about", &format!("mill {key}"), "{"]).unwrap();
    let error = shelf.about(&name("mill"), digest(1)).await.unwrap_err();
    assert!(matches!(error, Error::Incomplete { .. }), "{error}");
    shelf.publish(&release("mill", 1)).await.unwrap();
    assert!(shelf.fetch(&name("mill"), digest(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn pushes_at_one_time_leave_whole_versions_alone() {
    let server = RedisServer::start();
    let mut pushes = JoinSet::new();
    for push in 0..24 {
        let shelf = shelf(&server);
        // Twelve components over three plugins: some are pushed twice, some by two plugins.
        let release = release(["mill", "twin", "loom"][push as usize % 3], push % 12);
        pushes.spawn(async move { shelf.publish(&release).await.unwrap() });
    }
    pushes.join_all().await;
    let shelf = shelf(&server);
    let listing = shelf.list().await.unwrap();
    let mut listed = Vec::new();
    for (plugin, versions) in &listing.plugins {
        assert_eq!(versions.len(), limits::VERSIONS_MAX, "{plugin}");
        assert!(versions.is_sorted_by(|newer, older| newer.serial > older.serial), "{versions:?}");
        for version in versions {
            assert!(shelf.fetch(plugin, version.digest).await.unwrap().is_some());
            listed.push(version.digest.to_string());
        }
    }
    listed.sort();
    listed.dedup();
    assert_eq!(fields(&server, "components"), listed);
    assert_eq!(fields(&server, "uses"), listed);
}

#[tokio::test]
async fn a_shelf_that_is_full_says_so_and_changes_nothing() {
    let server = RedisServer::start();
    let options = Options { plugins_max: 2, bytes_max: 30, ..Options::default() };
    let shelf = RedisShelf::with(server.url().parse().unwrap(), &options).unwrap();
    shelf.publish(&release("mill", 1)).await.unwrap();
    shelf.publish(&release("twin", 2)).await.unwrap();
    let before = shelf.list().await.unwrap();
    let error = shelf.publish(&release("loom", 1)).await.unwrap_err();
    assert!(error.to_string().contains("it has 2 plugins"), "{error}");
    let error = shelf.publish(&release("mill", 3)).await.unwrap_err();
    assert!(error.to_string().contains("33 bytes, and 30 is"), "{error}");
    let component = Bytes::from(vec![0; limits::COMPONENT_BYTES_MAX + 1]);
    let large = Release { component, ..release("mill", 1) };
    let error = shelf.publish(&large).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "component", .. }), "{error}");
    assert_eq!(shelf.list().await.unwrap(), before);
    // What is there already weighs nothing more.
    shelf.publish(&release("mill", 2)).await.unwrap();
}

#[tokio::test]
async fn others_hear_of_a_change() {
    let server = RedisServer::start();
    let (here, there) = (shelf(&server), shelf(&server));
    let mut changes = there.changes();
    // The subscription is told of first, since something may have changed before it.
    tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    changes.mark_unchanged();
    here.publish(&release("mill", 1)).await.unwrap();
    tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    assert!(there.list().await.unwrap().current(&name("mill")).is_some());
    changes.mark_unchanged();
    here.remove(&name("mill")).await.unwrap();
    tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    assert!(there.list().await.unwrap().plugins.is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_fault_until_it_is_needed() {
    let mut server = RedisServer::start();
    let shelf = shelf(&server);
    server.kill();
    let error = shelf.list().await.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("can't be reached"), "{error}");
    server.restart();
    let published = async {
        while shelf.publish(&release("mill", 1)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, published).await.unwrap();
    assert!(shelf.list().await.unwrap().current(&name("mill")).is_some());
}
