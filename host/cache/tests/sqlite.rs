//! The cache in a file: processes that are killed, files that are none of ours.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use gristmill_cache::{Cache as _, Config, Key, OpenError, SetOptions, Space, SqliteCache};
use gristmill_job::SystemClock;
use tokio::task::JoinSet;

/// Names the file to the process that is to be killed.
const FILE: &str = "GRISTMILL_TEST_CACHE_FILE";
/// How often a process is killed, each time with more in the file.
const KILLS: u64 = 4;
/// Writes that are acknowledged before the first kill; as many more before each other one.
const ACKNOWLEDGED: u64 = 300;

async fn open(path: &Path) -> Result<SqliteCache, OpenError> {
    SqliteCache::open(path, Config::default(), Arc::new(SystemClock)).await
}

fn space() -> Space {
    "bucket:default".parse().unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text, &Config::default()).unwrap()
}

/// The value that is written under a key: large enough that many don't fit one page.
fn value(text: &str) -> Bytes {
    text.repeat(50).into()
}

#[tokio::test]
async fn a_killed_process_leaves_every_acknowledged_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache.sqlite");
    for round in 1..=KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "a_process_that_writes_until_it_is_killed",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged =
            lines.filter_map(|line| line.unwrap().strip_prefix("set ").map(str::to_owned));
        let wanted = usize::try_from(ACKNOWLEDGED * round).unwrap();
        let mut written: Vec<String> = acknowledged.by_ref().take(wanted).collect();
        // That is SIGKILL; what it had said by then counts too.
        child.kill().unwrap();
        child.wait().unwrap();
        written.extend(acknowledged);
        assert!(written.len() >= wanted, "{}", written.len());
        let cache = open(&path).await.unwrap();
        for text in written {
            // A last line may be cut off.
            let Some(text) = text.strip_suffix('.') else { continue };
            let found = cache.get(&space(), &key(text)).await.unwrap();
            assert_eq!(found, Some(value(text)), "{text}");
        }
    }
}

#[tokio::test]
#[ignore = "it is the other process of the test above"]
#[expect(clippy::print_stdout, reason = "its parent reads what was acknowledged")]
async fn a_process_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let cache = Arc::new(open(Path::new(&path)).await.unwrap());
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let cache = Arc::clone(&cache);
        writers.spawn(async move {
            for number in 0_u64.. {
                let text = format!("{}:{writer}:{number}", std::process::id());
                let options = SetOptions::default();
                assert!(cache.set(&space(), &key(&text), value(&text), options).await.unwrap());
                println!("set {text}.");
            }
        });
    }
    writers.join_all().await;
}

#[tokio::test]
async fn what_was_stored_is_there_when_the_file_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache.sqlite");
    let cache = open(&path).await.unwrap();
    cache.set(&space(), &key("k"), "v".into(), SetOptions::default()).await.unwrap();
    drop(cache);
    let again = open(&path).await.unwrap();
    assert_eq!(again.get(&space(), &key("k")).await.unwrap(), Some(Bytes::from("v")));
}

#[tokio::test]
async fn two_caches_on_one_file_lose_no_increments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache.sqlite");
    let mut adders = JoinSet::new();
    for _ in 0..2 {
        let cache = open(&path).await.unwrap();
        adders.spawn(async move {
            for _ in 0..200 {
                cache.increment(&space(), &key("n"), 1, None).await.unwrap();
            }
        });
    }
    adders.join_all().await;
    let cache = open(&path).await.unwrap();
    assert_eq!(cache.increment(&space(), &key("n"), 0, None).await.unwrap(), 400);
}

/// Expects a file to be refused and to be as it was, alone in its folder.
async fn expect_refused(content: &[u8], says: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, content).unwrap();
    let error = open(&path).await.unwrap_err().to_string();
    assert!(error.contains(says) && error.contains(path.to_str().unwrap()), "{error}");
    assert_eq!(fs::read(&path).unwrap(), content);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a file was left beside it");
}

/// The bytes of a file of ours, closed well.
async fn a_file() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache.sqlite");
    drop(open(&path).await.unwrap());
    fs::read(path).unwrap()
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_was() {
    expect_refused(
        b"somebody's notes, and long enough to be more than a header".as_slice(),
        "no SQLite database",
    )
    .await;
}

#[tokio::test]
async fn a_database_of_another_program_is_left_as_it_was() {
    let mut foreign = a_file().await;
    // Where the format keeps the application's id.
    foreign[68..72].copy_from_slice(b"Note");
    expect_refused(&foreign, "a database of another program").await;
}

#[tokio::test]
async fn a_file_of_a_later_schema_is_left_as_it_was() {
    let mut later = a_file().await;
    // Where the format keeps the user's version.
    later[60..64].copy_from_slice(&9_u32.to_be_bytes());
    expect_refused(&later, "its schema is 9").await;
}

#[tokio::test]
async fn a_damaged_file_is_left_as_it_was() {
    let mut damaged = a_file().await;
    damaged[100..].fill(0xa5);
    expect_refused(&damaged, "it is damaged").await;
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let error = open(Path::new("/nowhere/at/all/cache.sqlite")).await.unwrap_err().to_string();
    assert!(error.contains("the folder /nowhere/at/all isn't there"), "{error}");
}
