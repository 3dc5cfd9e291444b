//! The proxy's thread: one loop that owns the listener and all connections.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Traffic, Wish, bind};

/// Connections at one time; further ones wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 256;

/// Connections that wait to be accepted, as the kernel bounds them by default.
const BACKLOG: u32 = 128;

/// What is read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Serves until the last handle is gone. `_port` keeps the port while nobody listens on it.
pub(super) async fn run(
    _port: TcpSocket,
    address: SocketAddr,
    server: SocketAddr,
    mut wishes: Receiver<(Wish, mpsc::Sender<usize>)>,
) {
    let traffic = watch::Sender::new(Traffic::Flows);
    let mut listener = Some(listen(address));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            wish = wishes.recv() => {
                let Some((wish, answer)) = wish else { return };
                let count = grant(wish, &traffic, &mut listener, address, &mut connections).await;
                // Who asked may have lost patience.
                let _ = answer.send(count);
            }
            Some(_) = connections.join_next() => {}
            client = accept(listener.as_ref()), if connections.len() < CONNECTIONS_MAX => {
                // One that is gone before it was accepted is no concern.
                if let Ok(client) = client {
                    connections.spawn(connect(client, server, traffic.subscribe()));
                }
            }
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    bind(address.port()).listen(BACKLOG).unwrap()
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

async fn grant(
    wish: Wish,
    traffic: &watch::Sender<Traffic>,
    listener: &mut Option<TcpListener>,
    address: SocketAddr,
    connections: &mut JoinSet<()>,
) -> usize {
    while connections.try_join_next().is_some() {}
    let count = connections.len();
    match wish {
        Wish::Count => {}
        Wish::Cut => connections.shutdown().await,
        Wish::Traffic(Traffic::Refused) => {
            *listener = None;
            traffic.send_replace(Traffic::Refused);
        }
        Wish::Traffic(wanted) => {
            listener.get_or_insert_with(|| listen(address));
            traffic.send_replace(wanted);
        }
    }
    count
}

/// Carries one connection to its end. It ends as a whole: neither Redis nor its clients close one
/// half of a connection.
async fn connect(client: TcpStream, server: SocketAddr, mut traffic: watch::Receiver<Traffic>) {
    if permission(&mut traffic).await.is_none() {
        return;
    }
    // A server that isn't there ends the client's connection, as a proxy on the way would.
    let Ok(server) = TcpStream::connect(server).await else { return };
    // Small requests shall not wait for company.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        _ = carry(from_client, to_server, traffic.clone()) => {}
        _ = carry(from_server, to_client, traffic) => {}
    }
}

/// Waits until something may be delivered, and answers how it is delivered then.
async fn permission(traffic: &mut watch::Receiver<Traffic>) -> Option<Traffic> {
    let flows = |traffic: &Traffic| matches!(traffic, Traffic::Flows | Traffic::Late(_));
    traffic.wait_for(flows).await.ok().map(|traffic| *traffic)
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut traffic: watch::Receiver<Traffic>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        // The end of a connection isn't delivered either while nothing is.
        let read = from.read(&mut chunk).await;
        let Some(permission) = permission(&mut traffic).await else { return Ok(()) };
        let read = read?;
        if read == 0 {
            return Ok(());
        }
        if let Traffic::Late(delay) = permission {
            tokio::time::sleep(delay).await;
        }
        deliver(&chunk[..read], &mut to, &mut traffic).await?;
    }
}

/// Writes while something may be delivered; a write that waits for space waits for permission, too.
async fn deliver(
    mut bytes: &[u8],
    to: &mut OwnedWriteHalf,
    traffic: &mut watch::Receiver<Traffic>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        if permission(traffic).await.is_none() {
            return Ok(());
        }
        tokio::select! {
            biased;
            _ = traffic.changed() => {}
            written = to.write(bytes) => bytes = &bytes[written?..],
        }
    }
    Ok(())
}
