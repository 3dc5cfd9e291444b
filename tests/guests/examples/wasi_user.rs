//! Asks the standard library for everything that it asks of WASI; nothing of it may trap.

#![expect(clippy::disallowed_methods, reason = "the clocks are what this guest asks for")]

use std::{
    collections::BTreeMap,
    env,
    fmt::Debug,
    fs::{self, File},
    hash::{BuildHasher as _, RandomState},
    io::{self, Read as _},
    net::{TcpStream, ToSocketAddrs as _, UdpSocket},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use gristmill_guest::prelude::*;

/// What each question answered: a value, or the kind of the error.
type Answers = BTreeMap<&'static str, Result<String, String>>;

/// Tells what time, chance, environment, files, sockets, threads and streams answer.
#[job]
fn wasi_user() -> JobResult<Answers> {
    println!("to the standard output");
    eprintln!("to the standard error");
    let started = Instant::now();
    thread::sleep(Duration::from_millis(1));
    let mut input = String::new();
    Ok(BTreeMap::from([
        ("unix_seconds", Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string())),
        ("slept", Ok((started.elapsed() >= Duration::from_millis(1)).to_string())),
        ("hash", Ok(RandomState::new().hash_one("a").to_string())),
        ("variables", Ok(env::vars().count().to_string())),
        ("arguments", Ok(env::args().count().to_string())),
        ("current_dir", answer(env::current_dir())),
        ("read_dir", answer(fs::read_dir("/").map(Iterator::count))),
        ("open", answer(File::open("/etc/passwd").map(drop))),
        ("create", answer(File::create("/tmp/file").map(drop))),
        ("create_dir", answer(fs::create_dir("folder"))),
        ("connect", answer(TcpStream::connect("127.0.0.1:80").map(drop))),
        ("bind", answer(UdpSocket::bind("127.0.0.1:0").map(drop))),
        ("resolve", answer("example.org:80".to_socket_addrs().map(Iterator::count))),
        ("thread", answer(thread::Builder::new().spawn(|| ()).map(drop))),
        ("stdin", answer(io::stdin().read_to_string(&mut input))),
    ]))
}

fn answer<T: Debug>(result: io::Result<T>) -> Result<String, String> {
    result.map(|value| format!("{value:?}")).map_err(|error| format!("{:?}", error.kind()))
}

gristmill_guest::export!(wasi_user);
