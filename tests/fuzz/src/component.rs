//! Components, as files or as text.

use std::sync::OnceLock;
use std::time::Duration;

use gristmill_job::{Payload, PluginName};
use gristmill_runtime::{Allocator, Config, Limits, LoadError};
use gristmill_tests::{Sandbox, a_job};
use tokio::runtime::Runtime;

/// How long loading takes at most: compiling what fits into a fuzzer's input takes milliseconds, and
/// describing itself a second. A busy machine is given some more.
const LOADING_MAX: Duration = Duration::from_secs(30);
/// What an error may say.
const ERROR_BYTES_MAX: usize = 8 << 10;
/// What loads is run, and most of what loads by chance runs for ever.
const WALL: Duration = Duration::from_millis(50);

/// A component is refused with a reason in one line, or can be loaded and run; either ends in its time,
/// and leaves the host well.
///
/// # Panics
/// It isn't so.
pub fn component(data: &[u8]) {
    static HOST: OnceLock<(Runtime, Sandbox)> = OnceLock::new();
    let (threads, sandbox) = HOST.get_or_init(|| (threads(), sandbox()));
    threads.block_on(check(sandbox, data));
}

fn threads() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Instances have their own mappings: a pool would take address space that a sanitizer needs.
fn sandbox() -> Sandbox {
    let limits = Limits { wall: WALL, ..Limits::default() };
    let allocator = Some(Allocator::OnDemand);
    Sandbox::with_config(Config { slots: 1, limits, allocator, ..Config::default() })
}

async fn check(sandbox: &Sandbox, data: &[u8]) {
    let name = PluginName::new("odd").expect("a name");
    let loading = sandbox.runtime.load(name, data.to_vec().into());
    match tokio::time::timeout(LOADING_MAX, loading).await.expect("loading ends") {
        Ok(plugin) => {
            let job = a_job("odd", "f", Payload::text("input"));
            sandbox.attempt(&plugin, job, 1, None).await;
        }
        Err(error @ (LoadError::Host(_) | LoadError::Compiler(_))) => {
            panic!("it made the host unwell: {error}")
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.len() <= ERROR_BYTES_MAX && !text.contains('\n'), "{text}");
        }
    }
}
