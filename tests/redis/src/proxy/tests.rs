//! What the proxy does to connections, seen from both ends.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use gristmill_job::time::monotonic;

use super::{Proxy, Traffic};

/// How long something that must not come is waited for.
const SILENCE: Duration = Duration::from_millis(50);

/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Both ends of a connection through a proxy.
struct Line {
    proxy: Proxy,
    client: TcpStream,
    server: TcpStream,
    listener: TcpListener,
}

fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).unwrap()
}

fn line() -> Line {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap().port());
    let client = connect(&proxy);
    let (server, _) = listener.accept().unwrap();
    Line { proxy, client, server, listener }
}

/// What arrives: a letter, the connection's end, or nothing.
fn arrives(stream: &mut TcpStream, patience: Duration) -> Option<Result<u8, ()>> {
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut letter = [0];
    match stream.read(&mut letter) {
        Ok(1) => Some(Ok(letter[0])),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        Ok(_) | Err(_) => Some(Err(())),
    }
}

#[test]
fn what_is_sent_is_delivered_both_ways() {
    let mut line = line();
    line.client.write_all(b"a").unwrap();
    assert_eq!(arrives(&mut line.server, PATIENCE), Some(Ok(b'a')));
    line.server.write_all(b"b").unwrap();
    assert_eq!(arrives(&mut line.client, PATIENCE), Some(Ok(b'b')));
    assert_eq!(line.proxy.connections(), 1);
    line.client.shutdown(Shutdown::Both).unwrap();
    assert_eq!(arrives(&mut line.server, PATIENCE), Some(Err(())));
}

#[test]
fn a_cut_ends_the_connections_that_there_are() {
    let mut line = line();
    assert_eq!(line.proxy.cut(), 1);
    assert_eq!(line.proxy.connections(), 0);
    assert_eq!(arrives(&mut line.client, PATIENCE), Some(Err(())));
    assert_eq!(arrives(&mut line.server, PATIENCE), Some(Err(())));
    let mut next = connect(&line.proxy);
    next.write_all(b"a").unwrap();
    let (mut server, _) = line.listener.accept().unwrap();
    assert_eq!(arrives(&mut server, PATIENCE), Some(Ok(b'a')));
}

#[test]
fn what_is_swallowed_arrives_once_traffic_flows_again() {
    let mut line = line();
    line.proxy.set(Traffic::Swallowed);
    line.client.write_all(b"a").unwrap();
    line.server.write_all(b"b").unwrap();
    let mut late = connect(&line.proxy);
    late.write_all(b"c").unwrap();
    assert_eq!(arrives(&mut line.server, SILENCE), None);
    assert_eq!(arrives(&mut line.client, SILENCE), None);
    line.proxy.set(Traffic::Flows);
    assert_eq!(arrives(&mut line.server, PATIENCE), Some(Ok(b'a')));
    assert_eq!(arrives(&mut line.client, PATIENCE), Some(Ok(b'b')));
    let (mut server, _) = line.listener.accept().unwrap();
    assert_eq!(arrives(&mut server, PATIENCE), Some(Ok(b'c')));
}

#[test]
fn the_end_of_a_connection_is_swallowed_too() {
    let mut line = line();
    line.proxy.set(Traffic::Swallowed);
    line.client.shutdown(Shutdown::Both).unwrap();
    assert_eq!(arrives(&mut line.server, SILENCE), None);
    line.proxy.set(Traffic::Flows);
    assert_eq!(arrives(&mut line.server, PATIENCE), Some(Err(())));
}

#[test]
fn a_large_answer_stops_in_its_middle() {
    let mut line = line();
    line.server.set_nonblocking(true).unwrap();
    // Until the client's side is full as well, and the proxy waits for space.
    while line.server.write(&[0; 1 << 16]).is_ok() {}
    line.proxy.set(Traffic::Swallowed);
    line.client.set_read_timeout(Some(SILENCE)).unwrap();
    let mut buffered = Vec::new();
    let error = line.client.read_to_end(&mut buffered).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    line.proxy.set(Traffic::Flows);
    assert_eq!(arrives(&mut line.client, PATIENCE), Some(Ok(0)));
}

#[test]
fn refused_connections_are_refused_at_once_and_the_port_is_kept() {
    let line = line();
    line.proxy.set(Traffic::Refused);
    let error = TcpStream::connect(("127.0.0.1", line.proxy.port())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(TcpListener::bind(("127.0.0.1", line.proxy.port())).is_err());
    line.proxy.set(Traffic::Flows);
    drop(connect(&line.proxy));
}

#[test]
fn late_traffic_takes_its_time() {
    let mut line = line();
    line.proxy.set(Traffic::Late(Duration::from_millis(40)));
    let start = monotonic();
    line.client.write_all(b"a").unwrap();
    assert_eq!(arrives(&mut line.server, PATIENCE), Some(Ok(b'a')));
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[test]
fn a_server_that_is_not_there_ends_the_connection() {
    let line = line();
    drop(line.listener);
    let mut client = connect(&line.proxy);
    assert_eq!(arrives(&mut client, PATIENCE), Some(Err(())));
}

#[test]
fn everything_ends_with_the_handle() {
    let mut line = line();
    let port = line.proxy.port();
    drop(line.proxy);
    assert_eq!(arrives(&mut line.client, PATIENCE), Some(Err(())));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
