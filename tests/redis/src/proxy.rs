//! A proxy that does to connections what networks do.
//!
//! It runs on a thread of its own, so that it works for tests with and without an async runtime,
//! and ends with its handle. A change holds as soon as the call that asks for it returns.

mod serve;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::mpsc::{Sender, channel};

/// Wishes on their way to the proxy's thread; each caller waits for its own, so this is one for
/// each thread that uses the handle.
const WISHES_MAX: usize = 16;

/// How long the thread may take to grant a wish before the test has failed.
const WISH_PATIENCE: Duration = Duration::from_secs(10);

/// What happens to what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// It is delivered.
    Flows,
    /// It is delivered this much later.
    Late(Duration),
    /// Nothing is delivered in either direction, and nobody is told: connections are accepted and
    /// stay open. Once traffic flows again, what was sent before arrives after all, as it does
    /// after a partition that was shorter than the patience of TCP.
    Swallowed,
    /// As [`Swallowed`](Self::Swallowed), and new connections are refused.
    Refused,
}

/// A proxy before one server.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    wishes: Option<Sender<(Wish, mpsc::Sender<usize>)>>,
    thread: Option<JoinHandle<()>>,
}

/// What a handle may ask of its thread; the answer is a number of connections.
#[derive(Debug)]
enum Wish {
    Traffic(Traffic),
    Cut,
    Count,
}

impl Proxy {
    /// Starts a proxy before the server on this port of this machine. The server need not be there
    /// yet.
    #[must_use]
    pub fn start(server: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // It never listens: it keeps the port while the proxy refuses connections.
        let port = bind(0);
        let address = port.local_addr().unwrap();
        let (wishes, granted) = channel(WISHES_MAX);
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
        let thread = std::thread::spawn(move || {
            runtime.block_on(serve::run(port, address, server, granted));
        });
        let proxy = Self { port: address.port(), wishes: Some(wishes), thread: Some(thread) };
        // Granted once the thread listens.
        proxy.set(Traffic::Flows);
        proxy
    }

    /// The port for clients to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says what shall happen to what is sent from now on.
    pub fn set(&self, traffic: Traffic) {
        self.wish(Wish::Traffic(traffic));
    }

    /// Ends all connections that there are, and answers how many; new ones are as welcome as
    /// before.
    pub fn cut(&self) -> usize {
        self.wish(Wish::Cut)
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.wish(Wish::Count)
    }

    fn wish(&self, wish: Wish) -> usize {
        let (answer, answered) = mpsc::channel();
        let wishes = self.wishes.as_ref().unwrap();
        wishes.try_send((wish, answer)).unwrap();
        answered.recv_timeout(WISH_PATIENCE).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The thread ends, and all its connections with it, when nobody can wish any more.
        drop(self.wishes.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            let _ = thread.join();
        }
    }
}

/// A socket with this port, which may share it with another one of this process.
fn bind(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
    socket
}

#[cfg(test)]
mod tests;
