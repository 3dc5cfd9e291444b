//! What the daemon is told while it works: to be quiet and to go on, and to load its configuration again.

use std::path::PathBuf;

use gristmill::{Access, Host, Order, Share, Tls, Tuning};
use rustix::process::Signal;
use tokio::signal::unix::{Signal as Heard, SignalKind, signal};

use super::super::config::{self, Settings};
use super::super::error::{Error, one_line};
use super::super::log::Log;
use super::super::{Cli, Command};
use super::notify::Manager;

/// What takes effect without a restart, beside the plugins.
const RELOADED: [&str; 6] =
    ["log", "concurrency", "grace", "queue", "queue-order", "queue-concurrency"];
/// The same where TLS is spoken already; whether it is spoken takes a restart.
const CERTIFICATE: [&str; 2] = ["tls-cert", "tls-key"];

/// What is listened to, from before anybody is told that the daemon is there: until then TSTP would stop the
/// process, and HUP end it.
pub(super) struct Wishes {
    quiet: Heard,
    go_on: Heard,
    reload: Heard,
}

impl Wishes {
    /// Begins to listen.
    pub(super) fn listen() -> Result<Self, Error> {
        let hear = |kind| signal(kind).map_err(Error::Threads);
        Ok(Self {
            quiet: hear(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            go_on: hear(SignalKind::from_raw(Signal::CONT.as_raw()))?,
            reload: hear(SignalKind::hangup())?,
        })
    }
}

/// The daemon as whoever sends it signals may change it.
pub(super) struct Control<'a> {
    pub(super) host: &'a Host,
    pub(super) manager: &'a Manager,
    pub(super) log: &'a Log,
    pub(super) settings: Settings,
    pub(super) certificate: Option<Certificate>,
}

/// The certificate that the daemon shows, and the files that it is read from.
pub(super) struct Certificate {
    tls: Tls,
    cert: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// The one that is shown, if there is one.
    pub(super) fn of(args: &super::Args, access: &Access) -> Option<Self> {
        let (tls, (cert, key)) = access.certificate().cloned().zip(args.access.certificate())?;
        Some(Self { tls, cert: cert.to_owned(), key: key.to_owned() })
    }

    /// Shows what is in the files now; what can't be used takes nothing's place.
    fn renew(&self) {
        match self.tls.renew(&self.cert, &self.key) {
            Ok(()) => {
                let cert = self.cert.display();
                tracing::info!("new connections are shown the certificate that is in {cert} now");
            }
            Err(error) => tracing::error!(
                "the certificate stays as it is: {}; mend the file and send HUP again",
                one_line(&error)
            ),
        }
    }
}

impl Control<'_> {
    /// Obeys TSTP, CONT and HUP. Never ends.
    pub(super) async fn obey(mut self, mut wishes: Wishes) {
        loop {
            tokio::select! {
                _ = wishes.quiet.recv() => self.set_quiet(true),
                _ = wishes.go_on.recv() => self.set_quiet(false),
                _ = wishes.reload.recv() => self.reload().await,
            }
        }
    }

    fn set_quiet(&self, quiet: bool) {
        let controls = self.host.controls();
        // Whoever was stopped and goes on hears of it, too.
        if controls.is_quiet() == quiet {
            return;
        }
        controls.set_quiet(quiet);
        if quiet {
            tracing::info!("quiet: no more jobs are taken, those that run go on; CONT ends it");
            self.manager.status("quiet");
        } else {
            tracing::info!("jobs are taken again");
            self.manager.status("working");
        }
    }

    /// Takes over what the file says now, and looks through the plugins folder. A faulty file changes
    /// nothing.
    async fn reload(&mut self) {
        self.manager.reloading();
        match config::parse_again() {
            Ok((cli, settings)) => self.take_over(cli, settings),
            Err(Error::Faults(faults)) => {
                faults.iter().for_each(|fault| tracing::error!("{fault}"));
                tracing::error!("the configuration stays as it is: what it is now has faults");
            }
            Err(error) => {
                tracing::error!("the configuration stays as it is: {}", one_line(&error));
            }
        }
        if let Some(certificate) = &self.certificate {
            certificate.renew();
        }
        if let Err(error) = self.host.rescan_plugins().await {
            tracing::error!("the plugins stay as they are: {}", one_line(&error));
        }
        tracing::info!("configuration and plugins are loaded again");
        self.manager.ready();
    }

    fn take_over(&mut self, cli: Cli, settings: Settings) {
        let Command::Serve(args) = cli.command else { return };
        if let (Some(certificate), Some((cert, key))) =
            (&mut self.certificate, args.access.certificate())
        {
            (certificate.cert, certificate.key) = (cert.to_owned(), key.to_owned());
        }
        let tuning = match args.tuning() {
            Ok(tuning) => tuning,
            Err(error) => return tracing::error!("the queues stay: {}", one_line(&error)),
        };
        self.warn_of_others(&tuning.queues);
        self.host.controls().tune(tuning);
        let level = cli.log.as_deref().unwrap_or(super::LOG_LEVEL);
        if let Err(error) = self.log.set(level) {
            tracing::error!("--log {level:?} can't be read: {error}");
        }
        for (name, value) in &settings {
            let old = self.settings.get(name);
            if old != Some(value) {
                let effect = match self.is_taken_over(name) {
                    true => "taken over",
                    false => "takes effect at the next start",
                };
                tracing::info!("{name} is {:?} now, was {:?}: {effect}", value, old);
            }
        }
        // What waits for a restart is told each time until then.
        let taken: Vec<_> =
            settings.into_iter().filter(|(name, _)| self.is_taken_over(name)).collect();
        self.settings.extend(taken);
    }

    fn is_taken_over(&self, name: &str) -> bool {
        let shows_one = self.certificate.is_some();
        RELOADED.contains(&name) || (shows_one && CERTIFICATE.contains(&name))
    }

    fn warn_of_others(&self, queues: &[Share]) {
        let worked = self.host.vitals().lines;
        let is_worked = |share: &&Share| worked.iter().any(|line| line.queue == share.queue);
        for share in queues.iter().filter(|share| !is_worked(share)) {
            let queue = &share.queue;
            tracing::warn!("jobs are taken from queue {queue} from the next start on");
        }
    }
}

impl super::Args {
    /// What of it can be changed while the daemon works.
    pub(super) fn tuning(&self) -> Result<Tuning, Error> {
        let defaults = gristmill::WorkerConfig::default();
        Ok(Tuning {
            concurrency: self.concurrency.unwrap_or(defaults.concurrency),
            grace: self.grace,
            order: Order::from(self.queues.order),
            queues: self.queues.shares()?,
        })
    }
}
