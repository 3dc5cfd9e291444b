//! The cache in a file: processes that are killed, files that are none of ours.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_cache::{Cache as _, Config, Key, OpenError, SetOptions, Space, SqliteCache};
use gristmill_job::{ManualClock, SystemClock, Timestamp};
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

#[tokio::test]
async fn a_file_keeps_its_bound_by_what_was_written_the_longest_ago() {
    const BOUND: u64 = 2 << 20;
    const WRITES: usize = 4_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache.sqlite");
    let config = Config { disk_bytes_max: BOUND, ..Config::default() };
    let cache = SqliteCache::open(&path, config, Arc::new(SystemClock)).await.unwrap();
    for number in 0..WRITES {
        let options = SetOptions::default();
        let value = Bytes::from(vec![b'x'; 2_000]);
        assert!(cache.set(&space(), &key(&number.to_string()), value, options).await.unwrap());
    }
    let stats = cache.stats().await.unwrap();
    assert!(stats.bytes <= BOUND, "{stats:?}");
    assert!(stats.bytes > BOUND / 2, "more went than had to: {stats:?}");
    assert_eq!(cache.get(&space(), &key("0")).await.unwrap(), None, "the oldest");
    let newest = key(&(WRITES - 1).to_string());
    assert!(cache.get(&space(), &newest).await.unwrap().is_some(), "the newest");
    drop(cache);
    let bytes = fs::metadata(&path).unwrap().len();
    assert!(bytes <= 2 * BOUND, "the file itself has {bytes} bytes");
}

#[tokio::test]
async fn writes_take_what_has_expired_along_a_few_entries_each() {
    const EXPIRED: u32 = 100;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache.sqlite");
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_777_636_800_000)));
    let cache = SqliteCache::open(&path, Config::default(), Arc::clone(&clock) as _).await.unwrap();
    let file = rusqlite::Connection::open(&path).unwrap();
    let rows =
        || -> u32 { file.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap() };
    let second = Duration::from_secs(1);
    let entries = (0..EXPIRED).map(|number| (key(&number.to_string()), "v".into())).collect();
    cache.set_many(&space(), entries, Some(second)).await.unwrap();
    assert_eq!(rows(), EXPIRED);
    clock.advance(second);
    let mut before = EXPIRED + 1;
    while before > 1 {
        // The same key each time, so that it alone is left.
        cache.set(&space(), &key("kept"), "v".into(), SetOptions::default()).await.unwrap();
        assert!(rows() < before, "{before} are left");
        before = rows();
    }
    assert!(cache.exists(&space(), &key("kept")).await.unwrap());
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
