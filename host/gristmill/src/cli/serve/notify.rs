//! What a service manager is told: that the daemon is ready, loads its configuration again, or stops, and that
//! it gets on.
//!
//! The protocol is that of systemd (`sd_notify(3)`): a datagram with a few lines, to the socket that a variable of
//! the environment names. Without one nobody is told.

use std::env;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use gristmill::Host;
use gristmill::job::{Clock as _, SystemClock};

/// Where service managers listen, and how often they want to hear something, in microseconds.
const SOCKET: &str = "NOTIFY_SOCKET";
const WATCHDOG: &str = "WATCHDOG_USEC";
/// The process that they want to hear; whoever inherited the variables is another.
const WATCHED: &str = "WATCHDOG_PID";

/// A service manager that wants to be told.
pub(super) struct Manager(Option<UnixDatagram>);

impl Manager {
    /// The one that the environment names, if there is one.
    pub(super) fn named() -> Self {
        let connected = env::var_os(SOCKET).and_then(|name| match connect(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!("{SOCKET} {} can't be told: {error}", name.display());
                None
            }
        });
        Self(connected)
    }

    /// The daemon listens and works.
    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    /// The daemon loads its configuration again; [`Manager::ready`] follows.
    pub(super) fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = Duration::try_from(now).unwrap_or_default().as_micros();
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The daemon begins to end.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// How it stands, for whoever looks.
    pub(super) fn status(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// Says twice in each span of the watchdog that the daemon gets on, as long as its worker does. Never ends.
    pub(super) async fn reassure(&self, host: &Host) {
        let Some(span) = watchdog() else { return std::future::pending().await };
        loop {
            if host.vitals().is_alive(SystemClock.uptime()) {
                self.tell("WATCHDOG=1");
            } else {
                tracing::error!(
                    "the worker's loop stands: the watchdog isn't told that all is well"
                );
            }
            tokio::time::sleep(span / 2).await;
        }
    }

    fn tell(&self, what: &str) {
        if let Some(socket) = &self.0
            && let Err(error) = socket.send(what.as_bytes())
        {
            tracing::warn!("the service manager can't be told {what:?}: {error}");
        }
    }
}

/// A name that begins with `@` isn't in the file system.
fn connect(name: &std::ffi::OsStr) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    // A manager that doesn't read is no reason to stand.
    socket.set_nonblocking(true)?;
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        socket.connect_addr(&address)?;
        return Ok(socket);
    }
    socket.connect(name)?;
    Ok(socket)
}

fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_meant = number(WATCHED).is_none_or(|pid| pid == u64::from(std::process::id()));
    let span = Duration::from_micros(number(WATCHDOG)?);
    (is_meant && !span.is_zero()).then_some(span)
}
